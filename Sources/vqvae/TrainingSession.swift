import ArgumentParser
import Autoencoders
import BLAS
import Configurations
import Models
import NN
import Quantizers
import TerminalText
import Training

/// A training run as the user sees it: what it trains, its progress, and what to do after a signal.
struct TrainingSession {
  /// Raised by a signal. The handlers stay installed after the run, so work that follows has to ask it.
  let stop = StopSignal()
  private var training: TrainingRun<VQVAE>
  private let progress: TrainProgress

  var folder: RunFolder { training.folder }

  /// What is on the disk after ``run()``, for the message of an error that follows.
  var savedAdvice: String {
    "The run is complete: \(folder.last) has been saved at step \(training.state.step)."
  }

  /// Opens the data and the run folder, and says what will be trained.
  init(_ start: RunStart<VQVAE>, threads: Int) throws {
    training = try TrainingRun(start, threads: threads)
    progress = TrainProgress(training.experiment.configuration.training)
    announce()
  }

  /// Makes the remaining steps. After a signal, the state is saved, the command that resumes the run is
  /// printed, and an `ExitCode` is thrown.
  mutating func run() throws {
    // Not earlier: before the first step there is nothing to save, and a signal ends the process at once.
    stop.listen(Self.words)
    let outcome = try training.run(stop: stop, observe: progress.show)
    switch outcome {
    case .finished:
      progress.note(
        (["done: \(counted(training.state.step, "step"))"] + training.findings.map(\.summary))
          .joined(separator: "; "))
    case .stopped(let status):
      progress.note("saved \(visible(folder.last)) at step \(training.state.step); resume with:")
      Terminal.command([
        Program.commandName, "train", "--run", shellWord(folder.path), "--resume",
      ])
      throw ExitCode(status.rawValue)
    }
  }

  /// The messages of the signal handlers, written below the line that is being rewritten.
  private static var words: StopSignal.Words {
    let start = Terminal.isInteractive ? "\n" : ""
    return StopSignal.Words(
      stopping: start + "stopping after this step; once more to leave at once\n",
      leaving: start + "left without saving\n")
  }

  private func announce() {
    let threads = training.threads
    let experiment = training.experiment
    let options = experiment.configuration
    let parameters = experiment.model.parameters.filter { $0.role == .trained }
      .reduce(0) { $0 + $1.shape.count }
    progress.note(
      "\(options.data.kind): \(training.dataset.train.count) training and "
        + "\(counted(training.dataset.validation.count, "validation image")) "
        + "of \(experiment.facts.image.height)×\(experiment.facts.image.width), "
        + "variance \(fixed(experiment.facts.variance, 5))")
    progress.note(
      "\(options.model.summary): \(counted(parameters, "trained parameter")); "
        + "quantizer \(options.quantizer.kind), "
        + codewords(experiment.model.quantizers[0])
        + codebooks(experiment.model.architecture.latents)
        + "; at most \(fixed(experiment.bitsPerDimension, 4)) bits per dimension")
    progress.note(
      "\(counted(threads, "thread")), \(KernelSelection.summary)"
        + "; run folder \(visible(training.folder.path))"
        + (training.state.step > 0 ? ", resumed at step \(training.state.step)" : ""))
    if let warning = BLAS.threadWarning { progress.note(warning) }
    for note in training.notes { progress.note(note) }
  }

  /// The number and dimension of a quantizer's codewords; all latents have quantizers of the same kind.
  private func codewords(_ quantizer: any Quantizer) -> String {
    let alphabet = quantizer.alphabet
    let count =
      alphabet.count == 1
      ? counted(alphabet[0], "codeword")
      : alphabet.map(String.init).joined(separator: "×") + " codewords"
    return "\(count) of dimension \(quantizer.dimension)"
  }

  /// The grids of codes, for several codebooks in the order in which progress shows their numbers.
  private func codebooks(_ latents: [Latent]) -> String {
    guard latents.count > 1 else { return ", \(latents[0].height)×\(latents[0].width) codes" }
    return " in each of \(latents.count) codebooks: "
      + latents.map { "\($0.name), \($0.height)×\($0.width) codes" }.joined(separator: "; ")
  }
}
