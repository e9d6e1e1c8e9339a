import Datasets
import Files
import Kernels
import VectorQuantization

/// A run in its folder, from its start or from where it was stopped, to its end.
package struct TrainingRun {
  /// What a run tells while it goes on.
  package enum Event {
    case step(Int, StepMetrics, seconds: Double)
    case validation(Int, Evaluation, isBest: Bool)
  }

  /// How a run came to its end.
  package enum Outcome: Equatable {
    case finished
    case stopped(ExitStatus)
  }

  package let folder: RunFolder
  package let experiment: Experiment
  package let dataset: Dataset
  package private(set) var state: TrainingState
  private let log: MetricsLog
  private let pool: WorkerPool
  private var order: EpochOrder
  private var flushed = ContinuousClock.now

  /// How many threads work.
  package var threads: Int { pool.threads }

  /// Opens the data and the run folder. Nothing is created before the data has been found good.
  package init(_ configuration: Configuration, resume: Bool, threads: Int) throws {
    folder = RunFolder(configuration.outputFolder)
    try Self.requireRun(folder, resume: resume)
    dataset = try configuration.dataset()
    experiment = try Experiment(configuration, dataset)
    try createFolder(folder.checkpoints)
    log = try MetricsLog(folder.metrics, of: experiment.model)
    // The log is this process's alone now, and with it the folder; before, another could begin there.
    if !resume, fileExists(folder.configuration) { throw Self.taken(folder) }
    if resume, fileExists(folder.last) {
      let checkpoint = try Checkpoint(folder.last)
      try Self.requireSame(checkpoint, experiment, in: folder)
      state = checkpoint.state
    } else {
      state = TrainingState(experiment)
    }
    for place in [folder.path, folder.checkpoints] { AtomicFile.removeLeftovers(in: place) }
    try log.cut(after: state)
    try AtomicFile.write(folder.configuration, text: configuration.yaml())
    pool = WorkerPool(threads: threads)
    order = EpochOrder(seed: configuration.seed, count: dataset.train.count)
  }

  private static func requireRun(_ folder: RunFolder, resume: Bool) throws {
    if fileExists(folder.path), !isFolder(folder.path) {
      throw Problem(.cannotCreate, folder.path, found: "this is a file", expected: "a folder")
    }
    if resume, !folder.holdsRun {
      throw Problem(
        .missingInput, folder.path, found: "there is no run to resume",
        advice: "Without --resume a new run is started.")
    }
    if !resume, folder.holdsRun { throw taken(folder) }
  }

  private static func taken(_ folder: RunFolder) -> Problem {
    Problem(
      .cannotCreate, folder.path, found: "the folder holds a run already",
      advice: "Go on with it by --resume, or name another folder with --run FOLDER.")
  }

  /// How many steps a run has made that has nothing left to do under a configuration; nil for others.
  ///
  /// Nothing is written.
  package static func completedSteps(_ configuration: Configuration) throws -> Int? {
    let folder = RunFolder(configuration.outputFolder)
    guard fileExists(folder.last) else { return nil }
    let checkpoint = try Checkpoint(folder.last)
    let state = checkpoint.state
    let isComplete =
      state.step >= configuration.training.steps && state.validatedStep == state.step
    guard isComplete else { return nil }
    try requireSame(checkpoint, configuration, in: folder)
    return state.step
  }

  /// A resumed run has the same configuration, but for its circumstances.
  private static func requireSame(
    _ checkpoint: Checkpoint, _ configuration: Configuration, in folder: RunFolder
  ) throws {
    let faults =
      configuration
      .differences(from: checkpoint.experiment.configuration, in: .experiment)
      .map {
        ConfigurationError.Fault(
          place: folder.last,
          message: "the run has \($0.key): \($0.there), the configuration \($0.here); "
            + "a resumed run keeps it")
      }
    guard faults.isEmpty else { throw ConfigurationError(faults) }
  }

  /// A resumed run is the same experiment on the same images.
  private static func requireSame(
    _ checkpoint: Checkpoint, _ experiment: Experiment, in folder: RunFolder
  ) throws {
    try requireSame(checkpoint, experiment.configuration, in: folder)
    let (old, new) = (checkpoint.experiment, experiment)
    guard old.imageHeight == new.imageHeight, old.imageWidth == new.imageWidth else {
      throw Problem(
        .badData, folder.last,
        found: "the images are \(new.imageHeight)×\(new.imageWidth)",
        expected: "\(old.imageHeight)×\(old.imageWidth), as when the run was started")
    }
    guard old.trainingImages == new.trainingImages, old.variance == new.variance else {
      throw Problem(
        .badData, folder.last,
        found: "the images have changed: \(new.trainingImages) to train on with a variance of "
          + "\(new.variance)",
        expected: "\(old.trainingImages) with \(old.variance), as when the run was started")
    }
  }

  /// Makes the steps that are missing.
  ///
  /// - Parameters:
  ///   - stop: asked between steps; once it is raised the state is saved and the run ends.
  ///   - observe: told of every event, on the calling thread.
  package mutating func run(
    stop: StopSignal = StopSignal(), observe: (Event) throws -> Void = { _ in }
  ) throws -> Outcome {
    let training = experiment.configuration.training
    var savedStep: Int?
    while true {
      if isDue(training.validateEvery), state.validatedStep != state.step {
        try validate(stop: stop, observe: observe)
      }
      if isDue(training.checkpointEvery) || stop.isRaised, savedStep != state.step {
        try save()
        savedStep = state.step
      }
      if state.step >= training.steps, state.validatedStep == state.step { return .finished }
      if let status = stop.status {
        if savedStep != state.step { try save() }
        return .stopped(status)
      }
      try makeStep(observe: observe)
    }
  }

  /// Whether something that is done every so many steps, and at the end, is to be done now.
  private func isDue(_ interval: Int) -> Bool {
    state.step >= experiment.configuration.training.steps
      || (interval > 0 && state.step > 0 && state.step % interval == 0)
  }

  private mutating func makeStep(observe: (Event) throws -> Void) throws {
    let batchSize = experiment.configuration.training.batchSize
    let clock = ContinuousClock()
    let start = clock.now
    let batch = order.batch(step: state.step, size: batchSize)
    guard
      let metrics = try state.advance(
        on: batch, of: dataset.train, in: experiment, pool: pool)
    else { throw divergence(in: state.step + 1, "the loss or a gradient is not finite") }
    let seconds = (clock.now - start) / .seconds(1)
    try log.append(
      metrics, step: state.step, imagesPerSecond: Double(batchSize) / max(seconds, 1e-9))
    // Often enough for whoever watches the file, seldom enough for the step.
    if clock.now - flushed > .seconds(5) {
      try log.flush()
      flushed = clock.now
    }
    try observe(.step(state.step, metrics, seconds: seconds))
  }

  private mutating func validate(stop: StopSignal, observe: (Event) throws -> Void) throws {
    guard dataset.validation.count > 0 else {
      state.validatedStep = state.step
      return
    }
    let evaluation = try Evaluation(
      of: experiment.model, state.values, on: dataset.validation, variance: experiment.variance,
      pool: pool, shouldStop: { stop.isRaised })
    // A validation that was cut short is made again when the run is resumed.
    guard let evaluation else { return }
    guard evaluation.nmse.isFinite else {
      throw divergence(in: state.step, "the validation error is not finite")
    }
    state.validatedStep = state.step
    let isBest = evaluation.nmse < state.bestNMSE ?? .infinity
    if isBest { state.bestNMSE = evaluation.nmse }
    try log.append(evaluation, split: "validation", step: state.step)
    if isBest { try Checkpoint(experiment, state).write(folder.best) }
    try observe(.validation(state.step, evaluation, isBest: isBest))
  }

  /// Saves metrics and state.
  private func save() throws {
    try log.flush()
    try Checkpoint(experiment, state).write(folder.last)
  }

  private func divergence(in step: Int, _ found: String) -> Problem {
    try? log.flush()
    let saved =
      fileExists(folder.last)
      ? "The last good checkpoint is \(folder.last)." : "No checkpoint had been saved yet."
    return Problem(
      .diverged, "step \(step)", found: found,
      advice: saved + " A lower training.learning_rate usually helps.")
  }
}
