import Configurations
import Diagnostics
import Files
import TerminalText

/// The folder of a run: its configuration, metrics and checkpoints.
package struct RunFolder: Sendable {
  package let path: String

  package init(_ path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// The configuration, with all defaults filled in.
  package var configuration: String { "\(path)/config.yaml" }
  /// One line of JSON for each step and each validation.
  package var metrics: String { "\(path)/metrics.jsonl" }
  package var checkpoints: String { "\(path)/checkpoints" }
  /// The newest state.
  package var last: String { "\(checkpoints)/last.safetensors" }
  /// The state with the least validation error.
  package var best: String { "\(checkpoints)/best.safetensors" }

  /// Whether the folder holds a run. A single file of a run is enough, so a run that was killed between
  /// writing two files counts; metrics alone do not.
  package var holdsRun: Bool {
    get throws { try [configuration, last, best].contains(where: fileExists) }
  }

  /// The checkpoints that exist.
  private var present: [String] {
    get throws { try [best, last].filter(fileExists) }
  }

  /// The configuration of the run: from its file, or if the file is missing or empty from its checkpoint,
  /// which has all fields of scope `experiment`.
  ///
  /// - Parameter overrides: `key=value`, applied to it.
  /// - Returns: the configuration, and what the user should know about it.
  package func savedConfiguration(
    overrides: [String] = []
  ) throws -> (configuration: Configuration, note: String?) {
    if try fileExists(configuration), try InputFile(configuration).size > 0 {
      return (
        try ConfigurationReader.read(
          file: configuration, from: .program,
          renamedFields: CheckpointMigration.renamedFields(), overrides: overrides, runFolder: path),
        nil
      )
    }
    for checkpoint in try present.reversed() {
      guard let file = try? CheckpointFile(checkpoint),
        let configuration = try? file.configuration()
      else { continue }
      let resumed = try file.configuration(
        overrides: overrides, runFolder: path, needsData: configuration.data.missing != nil)
      return (
        resumed,
        "\(self.configuration) is missing or empty: the configuration is that of \(checkpoint), with "
          + "training.steps \(resumed.training.steps) and the defaults of the other fields that a "
          + "checkpoint does not hold"
      )
    }
    throw Problem(
      .missingInput, path, found: "there is no run to resume",
      advice: "Start one with vqvae train --config FILE --run \(shellWord(path)).")
  }

  /// The checkpoint that a command's argument refers to: the file itself, or the best checkpoint of a run
  /// folder, or its last if there is no best.
  package static func checkpoint(
    _ runOrCheckpoint: String
  ) throws -> (checkpoint: String, run: RunFolder?) {
    guard try isFolder(runOrCheckpoint) else {
      guard try fileExists(runOrCheckpoint) else {
        throw Problem(
          .missingInput, runOrCheckpoint, found: "no such run folder or checkpoint",
          advice: "vqvae train makes one; it prints where.")
      }
      let folder = runOrCheckpoint.lastIndex(of: "/").map { runOrCheckpoint[..<$0] } ?? "."
      return (runOrCheckpoint, try RunFolder("\(folder)/..").ifItHoldsRun)
    }
    let run = RunFolder(runOrCheckpoint)
    if let path = try run.present.first { return (path, run) }
    // The folder of the checkpoints refers to the run that they belong to.
    let inner = ["best", "last"].map { "\(run.path)/\($0).safetensors" }
    if let path = try inner.first(where: fileExists) {
      return (path, try RunFolder("\(run.path)/..").ifItHoldsRun)
    }
    throw Problem(
      .missingInput, runOrCheckpoint, found: "the folder has no checkpoint",
      expected: "checkpoints/best.safetensors or checkpoints/last.safetensors",
      advice: try run.holdsRun
        ? "vqvae train --run \(shellWord(run.path)) --resume finishes a run that was stopped before "
          + "its first one."
        : "vqvae train makes run folders; it prints where.")
  }

  private var ifItHoldsRun: RunFolder? {
    get throws { try fileExists(configuration) ? self : nil }
  }
}
