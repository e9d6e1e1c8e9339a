import ArgumentParser
import Datasets
import Files
import FoundationEssentials
import Kernels
import Training
import VectorQuantization

struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Measures a model on every image of a split.",
    discussion: """
      mse and nmse are of the decoder's output as it is, on the scale of pixels from 0 to 1; nmse is \
      mse over the variance of the training images. psnr is that of mseClamped, the error after \
      cutting off at black and white; psnrPerImage is the mean over the images of their own. \
      perplexity is that of the codes of the whole split.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: "Which images: train, validation or test.")
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
    let perplexity: Double
    let codesUsed: Int
    let codebookSize: Int
    /// Bits of entropy of a code, and of all codes of an image.
    let codeEntropy: Double
    let bitsPerImage: Double
    let codebookEffectiveRank: Double?
    let variance: Double
  }

  func run() throws {
    let (path, checkpoint, images) = try model.load(split)
    if !json { Terminal.note("\(path), step \(checkpoint.state.step)") }
    let experiment = checkpoint.experiment
    let evaluation = try Evaluation(
      of: experiment.model, checkpoint.state.values, on: images, variance: experiment.variance,
      pool: WorkerPool(threads: threading.threads ?? Processors.allowed))
    guard let evaluation, evaluation.nmse.isFinite else {
      throw Problem(.diverged, path, found: "the model's output is not finite")
    }
    let report = report(evaluation, of: checkpoint, path: path)
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      Terminal.result(String(decoding: try encoder.encode(report), as: UTF8.self))
    } else {
      print(report)
    }
  }

  private func report(
    _ evaluation: Evaluation, of checkpoint: Checkpoint, path: String
  ) -> Report {
    let quantizers = checkpoint.experiment.model.quantizers
    let usage = evaluation.usage[0]
    let codebook = checkpoint.state.values[quantizers[0].codebook]
    return Report(
      checkpoint: path, step: checkpoint.state.step, split: split.rawValue,
      images: evaluation.images, mse: evaluation.mse, nmse: evaluation.nmse,
      mseClamped: evaluation.mseClamped, psnr: evaluation.psnr,
      psnrPerImage: evaluation.psnrPerImage, perplexity: usage.perplexity,
      codesUsed: evaluation.usage.reduce(0) { $0 + $1.used },
      codebookSize: quantizers.reduce(0) { $0 + $1.codewords }, codeEntropy: usage.entropy,
      bitsPerImage: evaluation.usage.reduce(0) {
        $0 + $1.entropy * Double($1.total) / Double(evaluation.images)
      },
      codebookEffectiveRank: effectiveRank(ofRows: usage.usedCodewords(of: codebook)),
      variance: checkpoint.experiment.variance)
  }

  private func print(_ report: Report) {
    let rows = [
      ("split", "\(report.split), \(report.images) images"),
      ("mse", fixed(report.mse, 6)),
      ("nmse", fixed(report.nmse, 5)),
      (
        "psnr",
        "\(fixed(report.psnr, 2)) dB (of the mean; per image \(fixed(report.psnrPerImage, 2)))"
      ),
      ("perplexity", fixed(report.perplexity, 1)),
      ("codes used", "\(report.codesUsed) of \(report.codebookSize)"),
      ("bits", "\(fixed(report.bitsPerImage, 0)) an image at the codes' entropy"),
      (
        "codebook rank",
        report.codebookEffectiveRank.map { "\(fixed($0, 1)) (effective, of the codewords used)" }
          ?? "-"
      ),
    ]
    for (name, value) in rows {
      Terminal.result(name + String(repeating: " ", count: 15 - name.count) + value)
    }
  }
}
