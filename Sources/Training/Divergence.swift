import Datasets
import Files
import Tensors
import TerminalText

/// What can be done after a run has diverged. Runs are deterministic, so resuming leads to the same step
/// and the same end; a way on needs another learning rate, and so another run.
struct Divergence {
  private let experiment: Experiment
  private let folder: RunFolder
  /// A checkpoint of the run with which the model gives finite images, and its step.
  private let usable: (path: String, step: Int)?

  /// - Parameter images: what the checkpoints are tried on.
  init(of experiment: Experiment, in folder: RunFolder, on images: ImageSplit) {
    self.experiment = experiment
    self.folder = folder
    usable =
      [folder.last, folder.best].lazy.compactMap { path in
        Self.usableStep(path, images).map { (path, $0) }
      }.first
  }

  /// The step of a checkpoint that passes a forward pass; nil if it does not, or cannot be read.
  private static func usableStep(_ path: String, _ images: ImageSplit) -> Int? {
    guard let checkpoint = try? Checkpoint(path),
      let batch = try? images.images(at: 0..<min(8, images.count), paddedTo: 8)
    else { return nil }
    let output = checkpoint.experiment.model.reconstruct(batch, checkpoint.state.values)
    return output.reconstruction.hasFiniteSquares ? checkpoint.state.step : nil
  }

  var advice: String {
    let training = experiment.configuration.training
    let rate = max(training.learningRate / 10, 1e-12)
    var command = ["vqvae", "train", "--config", folder.configuration, "--run", unusedFolder]
    if let usable { command += ["--init-from", usable.path] }
    command += ["--set", "training.learning_rate=\(rate)"]
    if training.finalLearningRate > rate {
      command += ["--set", "training.final_learning_rate=\(rate)"]
    }
    let state =
      usable.map { "The model of \($0.path) (step \($0.step)) gives finite images." }
      ?? "No checkpoint of this run gives finite images."
    return state + " A lower learning rate usually helps; it makes another run:\n  "
      + command.map(shellWord).joined(separator: " ")
  }

  /// A name for another run.
  private var unusedFolder: String {
    (2...1000).lazy.map { "\(folder.path)-\($0)" }.first { (try? fileExists($0)) == false }
      ?? "\(folder.path)-new"
  }
}
