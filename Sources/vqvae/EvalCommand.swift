import ArgumentParser
import Datasets
import Diagnostics
import Files
import Runtime
import TerminalText
import Training
import VectorQuantization

struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Measures a model on every image of a split.",
    discussion: """
      mse and nmse measure the decoder's output as it is, with pixels from 0 to 1; nmse is mse \
      divided by the variance of the training images. mseClamped is the mse after clamping the output \
      to 0…1; psnr, in dB, is computed from it, and psnrPerImage is the mean of the PSNR of each \
      image. perplexity is that of the codes of the whole split; a model with several codebooks has \
      one for each, in the JSON under codebooks.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: "The split of the images.")
  var split = SplitName.validation

  @Flag(help: "Print one JSON object on standard output, and nothing else there.")
  var json = false

  @OptionGroup var threading: ThreadOptions

  /// The result as JSON.
  private struct Report: Encodable {
    let checkpoint: String
    let step: Int
    let split: String
    let images: Int
    let mse: Double
    let nmse: Double
    let mseClamped: Double
    let psnr: Double
    let psnrPerImage: Double
    /// Of the one codebook; of several, their sums, and nothing where a sum means nothing.
    let perplexity: Double?
    let codesUsed: Int
    let codebookSize: Int
    /// Bits of entropy of a code, and of all codes of an image.
    let codeEntropy: Double?
    let bitsPerImage: Double
    /// The most bits that codes can carry, for each number of an image.
    let bitsPerDimension: Double
    let codebookEffectiveRank: Double?
    /// Each of several.
    let codebooks: [Codebook]?
    let variance: Double
  }

  /// What is said of each of several codebooks, as of the one.
  private struct Codebook: Encodable {
    let name: String
    let perplexity: Double
    let codesUsed: Int
    let codebookSize: Int
    let codeEntropy: Double
    let bitsPerImage: Double
    let codebookEffectiveRank: Double?
  }

  func run() throws {
    let (path, checkpoint, images) = try model.load(split)
    if !json { Terminal.note("\(visible(path)), step \(checkpoint.state.step)") }
    let experiment = checkpoint.experiment
    let evaluation = try Evaluation(
      of: experiment.model, checkpoint.state.values, on: images, variance: experiment.variance,
      pool: WorkerPool(threads: threading.threads ?? Processors.allowed))
    guard let evaluation, evaluation.nmse.isFinite else {
      throw Problem(.diverged, path, found: "the model's output is not finite")
    }
    let codebooks = codebooks(evaluation, of: checkpoint)
    let report = report(evaluation, codebooks, of: checkpoint, path: path)
    if json {
      try Terminal.result(json: report)
    } else {
      try print(report, codebooks)
    }
  }

  private func report(
    _ evaluation: Evaluation, _ codebooks: [Codebook], of checkpoint: Checkpoint, path: String
  ) -> Report {
    let only = codebooks.count == 1 ? codebooks[0] : nil
    return Report(
      checkpoint: path, step: checkpoint.state.step, split: split.rawValue,
      images: evaluation.images, mse: evaluation.mse, nmse: evaluation.nmse,
      mseClamped: evaluation.mseClamped, psnr: evaluation.psnr,
      psnrPerImage: evaluation.psnrPerImage, perplexity: only?.perplexity,
      codesUsed: codebooks.reduce(0) { $0 + $1.codesUsed },
      codebookSize: codebooks.reduce(0) { $0 + $1.codebookSize }, codeEntropy: only?.codeEntropy,
      bitsPerImage: codebooks.reduce(0) { $0 + $1.bitsPerImage },
      bitsPerDimension: checkpoint.experiment.bitsPerDimension,
      codebookEffectiveRank: only?.codebookEffectiveRank,
      codebooks: only == nil ? codebooks : nil, variance: checkpoint.experiment.variance)
  }

  private func codebooks(_ evaluation: Evaluation, of checkpoint: Checkpoint) -> [Codebook] {
    let model = checkpoint.experiment.model
    return model.quantizers.indices.map { i in
      let (quantizer, usage) = (model.quantizers[i], evaluation.usage[i])
      let codewords = quantizer.codebook.map {
        usage.usedCodewords(of: checkpoint.state.values[$0.parameter])
      }
      return Codebook(
        name: model.architecture.latents[i].name, perplexity: usage.perplexity,
        codesUsed: usage.used, codebookSize: quantizer.alphabet[0], codeEntropy: usage.entropy,
        bitsPerImage: usage.entropy * Double(usage.total) / Double(evaluation.images),
        codebookEffectiveRank: codewords.flatMap { effectiveRank(ofRows: $0) })
    }
  }

  private func print(_ report: Report, _ codebooks: [Codebook]) throws {
    /// What is said of the one codebook, or of each with its name.
    func each(_ text: (Codebook) -> String) -> String {
      codebooks.count == 1
        ? text(codebooks[0])
        : codebooks.map { "\($0.name) \(text($0))" }.joined(separator: ", ")
    }
    let parts = codebooks.count == 1 ? "" : " (\(each { fixed($0.bitsPerImage, 0) }))"
    let rows = [
      ("split", "\(report.split), \(counted(report.images, "image"))"),
      ("mse", fixed(report.mse, 6)),
      ("nmse", fixed(report.nmse, 5)),
      (
        "psnr",
        "\(fixed(report.psnr, 2)) dB (of the mean; per image \(fixed(report.psnrPerImage, 2)))"
      ),
      ("perplexity", each { fixed($0.perplexity, 1) }),
      ("codes used", each { "\($0.codesUsed) of \($0.codebookSize)" }),
      ("bits", "\(fixed(report.bitsPerImage, 0)) per image, at the entropy of the codes" + parts),
      (
        "bits at most",
        "\(fixed(report.bitsPerDimension, 4)) per dimension, if all codes were equally frequent"
      ),
      (
        "codebook rank",
        each { $0.codebookEffectiveRank.map { fixed($0, 1) } ?? "-" }
          + " (effective, of the codewords used)"
      ),
    ]
    try Terminal.result(
      rows.map { name, value in name + String(repeating: " ", count: 15 - name.count) + value }
        .joined(separator: "\n"))
  }
}
