import Datasets
import Diagnostics
import Files
import NN
import Runtime
import TerminalText

/// What a run reports while it goes on.
package enum RunEvent {
  case step(Int, Measurements, seconds: Double)
  case validation(Int, Evaluation, isBest: Bool)
  /// The state was saved on request.
  case saved(Int)
  /// Something that the user should know.
  case note(String)
}

/// How a run ended.
package enum RunOutcome: Equatable {
  case finished
  case stopped(ExitStatus)
}

/// A run in its folder, from its start or from the step where it was stopped, to its end.
package struct TrainingRun<Model: ConfiguredModel> {

  package let folder: RunFolder
  package let experiment: Experiment<Model>
  package let dataset: Dataset<Model>
  package private(set) var state: TrainingState
  /// What the user should know before the first step.
  package let notes: [String]
  /// Follows how the codebooks are used, also over the steps before the run was resumed.
  private var watch: CodebookWatch
  private let log: MetricsLog
  private let lock: FolderLock
  private let pool: WorkerPool
  private var order: EpochOrder
  private var flushed = ContinuousClock.now
  /// The validation error of `best.safetensors` on the disk; ∞ if there is none.
  private var bestOnDisk: Double

  /// The bad states that the run's codebooks have been in.
  package var findings: [CodebookFinding] { watch.findings }

  /// The number of threads.
  package var threads: Int { pool.threads }

  /// Opens the data and the run folder. Nothing is created before the data have been checked.
  package init(_ start: RunStart<Model>, threads: Int) throws {
    let configuration = start.configuration
    folder = start.folder
    (experiment, dataset) = try Experiment.open(configuration)
    try start.requireSameData(dataset.facts)
    order = EpochOrder(seed: configuration.seed, count: dataset.train.count)
    state =
      if let checkpoint = start.checkpoint {
        checkpoint.state
      } else if let weights = start.weights {
        try TrainingState(experiment, weights: weights.checkpoint, path: weights.path)
      } else {
        try TrainingState(
          experiment, preparedOn: dataset.train, in: order)
      }
    pool = WorkerPool(threads: threads)

    try createFolder(folder.checkpoints)
    // From here on this process alone uses the folder; before, another could have started a run there.
    lock = try start.lock ?? FolderLock(folder.path)
    if !start.isResumed, try folder.holdsRun { throw RunStart<Model>.folderInUse(folder) }
    for place in [folder.path, folder.checkpoints] { AtomicFile.removeLeftovers(in: place) }
    var notes = start.notes
    for path in start.damaged {
      guard let place = moveAside(path) else {
        throw Problem(
          .cannotCreate, path, found: "the damaged checkpoint cannot be moved aside",
          advice: "Move it out of the folder, and resume again.")
      }
      notes.append("\(path) is now \(place)")
    }
    bestOnDisk = start.bestOnDisk ?? .infinity
    if start.weights != nil {
      // First of all: without it, the run would be resumed from other weights.
      try Checkpoint(experiment, state).write(folder.last)
    }
    try AtomicFile.write(folder.configuration, text: configuration.yaml())
    log = try MetricsLog(folder.metrics, criterion: Model.criterion)
    watch = CodebookWatch(
      experiment.model.watchedCodebooks, validationCount: dataset.validation.count)
    notes += try log.repair(toMatch: state, &watch)
    self.notes = notes
  }

  /// Makes the remaining steps.
  ///
  /// - Parameters:
  ///   - stop: checked between steps. Once it is raised, the state is saved and the run ends.
  ///   - observe: called with every event, on the calling thread.
  package mutating func run(
    stop: StopSignal = StopSignal(), observe: (RunEvent) throws -> Void = { _ in }
  ) throws -> RunOutcome {
    let training = experiment.configuration.training
    var writtenStep: Int?
    while true {
      if isDue(training.validateEvery), state.validatedStep != state.step {
        try validate(stop: stop, observe: observe)
      }
      let isAsked = stop.takeSaveRequest()
      if isDue(training.checkpointEvery) || stop.isRaised || isAsked, writtenStep != state.step {
        try save()
        writtenStep = state.step
      }
      if isAsked { try observe(.saved(state.step)) }
      if let note = log.takeNote() { try observe(.note(note)) }
      if state.step >= training.steps, state.validatedStep == state.step { return .finished }
      if let status = stop.status {
        if writtenStep != state.step { try save() }
        return .stopped(status)
      }
      try makeStep(observe: observe)
    }
  }

  /// Whether an action with this interval is due; always true at the last step.
  private func isDue(_ interval: Int) -> Bool {
    state.step >= experiment.configuration.training.steps
      || (interval > 0 && state.step > 0 && state.step % interval == 0)
  }

  private mutating func makeStep(observe: (RunEvent) throws -> Void) throws {
    let batchSize = experiment.configuration.training.batchSize
    let clock = ContinuousClock()
    let start = clock.now
    let batch = order.batch(step: state.step, size: batchSize)
    guard
      var measurements = try state.advance(
        on: batch, of: dataset.train, in: experiment, pool: pool)
    else { throw divergence(in: state.step + 1, "the loss or a gradient is not finite") }
    let seconds = (clock.now - start) / .seconds(1)
    measurements.append(Metric("imagesPerSecond", Double(batchSize) / max(seconds, 1e-9)))
    let found = watch.observe(.init(measurements, step: state.step))
    try log.append(measurements, step: state.step, watch)
    // Often enough to follow the file, seldom enough not to slow the steps.
    if clock.now - flushed > .seconds(5) {
      // If the log cannot be written, the state is saved before the run ends; or the run continues if saving
      // shows that the log can be written after all.
      do { try log.flush() } catch { try save() }
      flushed = clock.now
    }
    try observe(.step(state.step, measurements, seconds: seconds))
    try report(found, observe: observe)
  }

  private func report(_ found: [CodebookFinding], observe: (RunEvent) throws -> Void) throws {
    let advice = CodebookAdvice(experiment.configuration)
    for finding in found {
      try observe(
        .note("step \(state.step): \(finding.text) \(advice.text(against: finding.name))"))
    }
  }

  private mutating func validate(stop: StopSignal, observe: (RunEvent) throws -> Void) throws {
    guard dataset.validation.count > 0 else {
      state.validatedStep = state.step
      return
    }
    let evaluation = try Evaluation(
      of: experiment.model, state.values, on: dataset.validation, pool: pool,
      shouldStop: { stop.isRaised })
    // A validation that was interrupted is repeated when the run is resumed.
    guard let evaluation else { return }
    let error = evaluation[Model.criterion]
    guard error.isFinite else {
      throw divergence(in: state.step, "the validation error is not finite")
    }
    state.validatedStep = state.step
    let isBetter = error < state.best ?? .infinity
    if isBetter { state.best = error }
    let found = watch.observe(
      .init(evaluation.measurements, step: state.step, isValidation: true))
    try log.append(evaluation.measurements, step: state.step, split: "validation", watch)
    // After a kill, the checkpoint on the disk may be of a later step and better than the state's best.
    let isBest = isBetter && error <= bestOnDisk
    if isBest {
      try write(folder.best)
      bestOnDisk = error
    }
    try observe(.validation(state.step, evaluation, isBest: isBest))
    try report(found, observe: observe)
  }

  // MARK: Saving

  private func save() throws { try write(folder.last) }

  /// Writes a checkpoint, after the metrics of its steps. An error of the log does not prevent the state from
  /// being saved.
  private func write(_ path: String) throws {
    var logError: (any Error)?
    do { try log.synchronize() } catch { logError = error }
    do {
      try Checkpoint(experiment, state).write(path)
    } catch let problem as Problem where problem.status == .diverged {
      throw divergence(in: state.step, problem.found)
    } catch {
      throw withWayOn(error)
    }
    // The lines are kept in memory, and the cause of the error may be gone.
    if let logError, (try? log.synchronize()) == nil { throw withWayOn(logError) }
  }

  /// Adds to an error from which checkpoint the run can be resumed.
  private func withWayOn(_ error: any Error) -> any Error {
    guard let problem = error as? Problem else { return error }
    let standing = [folder.last, folder.best].compactMap { path in
      (try? Checkpoint<Model>(path)).map { (path: path, step: $0.state.step) }
    }.max { $0.step < $1.step }
    let way =
      standing.map {
        "\($0.path) has step \($0.step); resume with vqvae train --run "
          + "\(shellWord(folder.path)) --resume."
      } ?? "No checkpoint has been saved."
    return Problem(
      problem.status, problem.subject, found: problem.found, expected: problem.expected,
      advice: (problem.advice.map { $0 + " " } ?? "") + way)
  }

  // MARK: Divergence

  private func divergence(in step: Int, _ found: String) -> Problem {
    try? log.synchronize()
    return Problem(
      .diverged, "step \(step)", found: found,
      advice: Divergence(of: experiment, in: folder, on: dataset.train).advice)
  }
}
