import Autoencoders
import Datasets
import Diagnostics
import Files
import Models
import NN
import Runtime
import TerminalText
import Training

/// The result of an evaluation.
struct EvaluationReport: Encodable {
  let checkpoint: String
  let step: Int
  let split: String
  let images: Int
  let metrics: [Metric]
  let codebooks: [CodebookReport]
  /// The largest number of bits that the codes can carry, per number of an image.
  let bitsPerDimension: Double
  let variance: Double

  /// Evaluates a model on all images of its split.
  ///
  /// - Parameter shouldStop: asked before each shard. Once it returns true, the result is nil.
  init?(
    of trained: TrainedModel, pool: WorkerPool,
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws {
    let (experiment, values) = (trained.checkpoint.experiment, trained.checkpoint.state.values)
    guard
      let evaluation = try Evaluation(
        of: experiment.model, values, on: trained.images, pool: pool, shouldStop: shouldStop)
    else { return nil }
    guard evaluation[VQVAE.criterion].isFinite else {
      throw Problem(.diverged, trained.path, found: "the model's output is not finite")
    }
    checkpoint = trained.path
    step = trained.step
    split = trained.split.rawValue
    images = evaluation.count
    metrics = evaluation.measurements.metrics
    codebooks = CodebookReport.all(of: evaluation, model: experiment.model, values)
    bitsPerDimension = experiment.bitsPerDimension
    variance = experiment.facts.variance
  }

  private var bitsPerImage: Double { codebooks.reduce(0) { $0 + $1.bitsPerImage } }

  // MARK: JSON

  /// Metrics are keys at the top level. So are the figures of a single codebook; several are in a list.
  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: JSONKey.self)
    try object.encode(checkpoint, forKey: JSONKey("checkpoint"))
    try object.encode(step, forKey: JSONKey("step"))
    try object.encode(split, forKey: JSONKey("split"))
    try object.encode(images, forKey: JSONKey("images"))
    for metric in metrics { try object.encode(metric.value, forKey: JSONKey(metric.name)) }
    try object.encode(codebooks.reduce(0) { $0 + $1.codesUsed }, forKey: JSONKey("codesUsed"))
    try object.encode(codebooks.reduce(0) { $0 + $1.codebookSize }, forKey: JSONKey("codebookSize"))
    try object.encode(bitsPerImage, forKey: JSONKey("bitsPerImage"))
    try object.encode(bitsPerDimension, forKey: JSONKey("bitsPerDimension"))
    try object.encode(variance, forKey: JSONKey("variance"))
    if codebooks.count == 1 {
      try object.encode(codebooks[0].perplexity, forKey: JSONKey("perplexity"))
      try object.encode(codebooks[0].codeEntropy, forKey: JSONKey("codeEntropy"))
      try object.encode(codebooks[0].collapsed, forKey: JSONKey("collapsed"))
      try object.encodeIfPresent(
        codebooks[0].codebookEffectiveRank, forKey: JSONKey("codebookEffectiveRank"))
    } else {
      try object.encode(codebooks, forKey: JSONKey("codebooks"))
    }
  }

  // MARK: Table

  var table: String {
    /// The text of the only codebook, or the texts of all with their names.
    func each(_ text: (CodebookReport) -> String) -> String {
      codebooks.count == 1
        ? text(codebooks[0])
        : codebooks.map { "\($0.name) \(text($0))" }.joined(separator: ", ")
    }
    let parts = codebooks.count == 1 ? "" : " (\(each { fixed($0.bitsPerImage, 0) }))"
    let measured = metrics.filter { $0.display != .data }.map { metric in
      (
        metric.label,
        fixed(metric.value, metric.decimals) + (metric.unit.isEmpty ? "" : " \(metric.unit)")
      )
    }
    var rows =
      [("split", "\(split), \(counted(images, "image"))")] + measured + [
        ("perplexity", each { fixed($0.perplexity, 1) }),
        (
          "codes used",
          each { "\($0.codesUsed) of \($0.codebookSize)" + ($0.collapsed ? " (collapsed)" : "") }
        ),
        ("bits", "\(fixed(bitsPerImage, 0)) per image, at the entropy of the codes" + parts),
        (
          "bits at most",
          "\(fixed(bitsPerDimension, 4)) per dimension, if all codes were equally frequent"
        ),
      ]
    if codebooks.contains(where: { $0.codebookEffectiveRank != nil }) {
      let ranks = each { $0.codebookEffectiveRank.map { fixed($0, 1) } ?? "-" }
      rows.append(("codebook rank", ranks + " (effective, of the codewords used)"))
    }
    let width = (rows.map(\.0.count).max() ?? 0) + 2
    return rows.map { name, value in
      name + String(repeating: " ", count: width - name.count) + value
    }.joined(separator: "\n")
  }
}
