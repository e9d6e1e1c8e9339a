import ArgumentParser
import Datasets
import Runtime
import TerminalText

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

  @OptionGroup var model: ModelArguments

  @Option(help: "The split of the images.")
  var split = SplitName.validation

  @Flag(help: "Print only one JSON object on standard output.")
  var json = false

  @OptionGroup var threading: ThreadOptions

  func run() throws {
    let trained = try model.load(split)
    if !json { Terminal.note("\(visible(trained.path)), step \(trained.step)") }
    let report = try EvaluationReport(
      of: trained, pool: WorkerPool(threads: threading.threads ?? Processors.allowed))
    guard let report else { return }
    if json {
      try Terminal.result(json: report)
    } else {
      try Terminal.result(report.table)
    }
  }
}
