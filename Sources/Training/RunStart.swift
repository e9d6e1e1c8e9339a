import Configurations
import Diagnostics
import Files
import TerminalText

/// How a run starts: from scratch, from the weights of another run, or resumed from a checkpoint of its
/// folder.
///
/// It is determined before anything is written. A resumed run holds the folder's lock.
package struct RunStart<Model: ConfiguredModel> {
  package let folder: RunFolder
  let configuration: Configuration
  let lock: FolderLock?
  let isResumed: Bool
  /// The checkpoint that is resumed, or nil if the run starts at step 0.
  let checkpoint: Checkpoint<Model>?
  /// Whether the checkpoint is `last.safetensors`.
  private let isLast: Bool
  /// The checkpoint whose weights a new run starts with, or nil.
  let weights: (path: String, checkpoint: Checkpoint<Model>)?
  /// The validation error of `best.safetensors` on the disk, which no worse model may replace.
  let bestOnDisk: Double?
  /// Damaged checkpoints, which are moved aside before the run writes new ones.
  let damaged: [String]
  /// What the user should know about the choice.
  package let notes: [String]

  // MARK: New runs

  /// A new run. Its folder must not hold one.
  ///
  /// - Parameter weights: a run folder or checkpoint that the model's weights are taken from.
  package init(new configuration: Configuration, weights: String? = nil) throws {
    folder = RunFolder(configuration.outputFolder)
    self.configuration = configuration
    try Self.requireFolder(folder)
    if try folder.holdsRun { throw Self.folderInUse(folder) }
    isResumed = false
    checkpoint = nil
    isLast = false
    bestOnDisk = nil
    damaged = []
    notes = []
    lock = nil
    self.weights = try weights.map { argument in
      let path = try RunFolder.checkpoint(argument).checkpoint
      return (path, try Checkpoint<Model>(path, for: .evaluation))
    }
  }

  static func folderInUse(_ folder: RunFolder) -> Problem {
    Problem(
      .cannotCreate, folder.path, found: "the folder holds a run already",
      advice:
        "Resume it with vqvae train --run \(shellWord(folder.path)) --resume, or name another "
        + "folder with --run.")
  }

  private static func requireFolder(_ folder: RunFolder) throws {
    if try fileExists(folder.path), try !isFolder(folder.path) {
      throw Problem(.cannotCreate, folder.path, found: "this is a file", expected: "a folder")
    }
  }

  // MARK: Resumed runs

  /// A run that is resumed.
  ///
  /// The later of `last` and `best` is used: both are complete states of the same run, and the run takes the
  /// same course from either. If one is damaged, the other is used. If one cannot be read because of the
  /// system, this is an error, since it may be good, and better than what would replace it.
  package init(resuming configuration: Configuration) throws {
    folder = RunFolder(configuration.outputFolder)
    self.configuration = configuration
    try Self.requireFolder(folder)
    guard try folder.holdsRun else {
      throw Problem(
        .missingInput, folder.path, found: "there is no run to resume",
        advice: "Without --resume a new run is started.")
    }
    isResumed = true
    weights = nil
    lock = try FolderLock(folder.path)

    let last = try Candidate(folder.last)
    var best = try Candidate(folder.best)
    if let last = last.checkpoint { best.requireSameRun(as: last, path: folder.best) }
    var notes: [String] = []
    switch (last.checkpoint, best.checkpoint) {
    case (nil, nil):
      if let problem = last.damage ?? best.damage {
        throw Problem(
          problem.status, problem.subject, found: problem.found, expected: problem.expected,
          advice: (problem.advice.map { $0 + "\n  " } ?? "")
            + "There is no other checkpoint to resume from. To start this run again from step 0, "
            + "move the file out of the folder.")
      }
      checkpoint = nil
      isLast = false
      notes.append("no checkpoint was saved before: the run starts again at step 0")
    case (let found?, nil):
      checkpoint = found
      isLast = true
      if let problem = best.damage {
        notes.append("\(problem.subject) cannot be used (\(problem.found)) and is moved aside")
      }
    case (nil, let found?):
      checkpoint = found
      isLast = false
      let reason =
        last.damage.map { "\($0.subject) cannot be used (\($0.found)) and is moved aside" }
        ?? "\(folder.last) is missing"
      notes.append("\(reason): resuming from \(folder.best)")
    case (let newest?, let other?):
      let isBestLater = other.state.step > newest.state.step
      checkpoint = isBestLater ? other : newest
      isLast = !isBestLater
      if isBestLater {
        notes.append(
          "resuming from \(folder.best), which is later than \(folder.last) (step "
            + "\(newest.state.step))")
      }
    }
    bestOnDisk = best.checkpoint?.state.best
    damaged = [last.damage, best.damage].compactMap { $0?.subject }
    self.notes = notes
    try checkpoint.map { try Self.requireSame($0, configuration, in: folder) }
  }

  /// A checkpoint that may exist.
  private struct Candidate {
    /// Nil if it is missing or damaged.
    var checkpoint: Checkpoint<Model>?
    /// What is wrong with it.
    var damage: Problem?

    /// Marks a checkpoint of another run as damaged: its error says nothing about this run.
    mutating func requireSameRun(as last: Checkpoint<Model>, path: String) {
      guard let configuration = checkpoint?.experiment.configuration,
        !configuration.differences(from: last.experiment.configuration, in: .experiment).isEmpty
      else { return }
      checkpoint = nil
      damage = Problem(.badData, path, found: "it belongs to another run")
    }

    init(_ path: String) throws {
      guard try fileExists(path) else { return }
      do {
        checkpoint = try Checkpoint<Model>(path)
      } catch let problem as Problem where problem.status == .badData {
        damage = problem
      } catch let problem as Problem {
        throw Problem(
          problem.status, problem.subject, found: problem.found,
          advice:
            "It may be a good checkpoint. Make it readable, or move it out of the folder, and "
            + "resume again.")
      }
    }
  }

  /// The number of steps of a resumed run that is complete, or nil if it is not: also if it was killed
  /// between writing its best and its last checkpoint.
  package var completedSteps: Int? {
    guard let state = checkpoint?.state, isLast else { return nil }
    let steps = configuration.training.steps
    let isComplete = state.step > steps || (state.step == steps && state.validatedStep == steps)
    return isComplete ? state.step : nil
  }

  /// A resumed run has the same configuration, except for fields of scope `runtime`.
  private static func requireSame(
    _ checkpoint: Checkpoint<Model>, _ configuration: Configuration, in folder: RunFolder
  ) throws {
    let faults =
      configuration
      .differences(from: checkpoint.experiment.configuration, in: .experiment)
      .map {
        ConfigurationError.Fault(
          place: folder.path,
          message: "the run has \($0.key): \($0.there), the configuration \($0.here); "
            + "a resumed run keeps it")
      }
    guard faults.isEmpty else { throw ConfigurationError(faults) }
  }

  /// A resumed run is trained on the same data.
  func requireSameData(_ facts: Model.Facts) throws {
    guard let old = checkpoint?.experiment.facts, let difference = facts.difference(from: old)
    else { return }
    throw Problem(
      .badData, folder.path, found: difference.found,
      expected: "\(difference.expected), as when the run was started")
  }
}
