import Autograd
import Files
import NN
import TerminalText

/// The advice after a run has diverged. Runs are deterministic, so a resumed run diverges in the same step; a
/// lower learning rate needs a new run.
struct Divergence<Model: ConfiguredModel> {
  private let experiment: Experiment<Model>
  private let folder: RunFolder
  /// A checkpoint of the run whose model has a finite loss, and its step.
  private let usable: (path: String, step: Int)?

  /// - Parameter examples: those on which the loss of the checkpoints is computed.
  init(
    of experiment: Experiment<Model>, in folder: RunFolder, on examples: some Examples<Model.Batch>
  ) {
    self.experiment = experiment
    self.folder = folder
    usable =
      [folder.last, folder.best].lazy.compactMap { path in
        Self.usableStep(path, examples).map { (path, $0) }
      }.first
  }

  /// The step of a checkpoint, or nil if it cannot be read or its loss is not finite.
  private static func usableStep(_ path: String, _ examples: some Examples<Model.Batch>) -> Int? {
    let count = min(8, examples.count)
    guard let checkpoint = try? Checkpoint<Model>(path),
      let batch = try? examples.batch(at: 0..<count, paddedTo: 8)
    else { return nil }
    let model = checkpoint.experiment.model
    let tape = Tape(
      checkpoint.state.values, recording: false,
      context: ExecutionContext(convolution: model.convolution))
    let result = model.shard(
      batch, in: ShardContext(validCount: count, batchSize: count), on: tape)
    return result.loss.value.scalar.isFinite ? checkpoint.state.step : nil
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
      usable.map { "The loss of \($0.path) (step \($0.step)) is finite." }
      ?? "No checkpoint of this run has a finite loss."
    return state + " A lower learning rate usually helps; it makes another run:\n  "
      + command.map(shellWord).joined(separator: " ")
  }

  /// A folder name for another run.
  private var unusedFolder: String {
    (2...1000).lazy.map { "\(folder.path)-\($0)" }.first { (try? fileExists($0)) == false }
      ?? "\(folder.path)-new"
  }
}
