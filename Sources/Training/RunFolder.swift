import Files

/// The folder of a run: its configuration, metrics and checkpoints.
package struct RunFolder: Sendable {
  package let path: String

  package init(_ path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// The configuration with all its defaults filled in.
  package var configuration: String { "\(path)/config.yaml" }
  /// A line of JSON for each step and each validation.
  package var metrics: String { "\(path)/metrics.jsonl" }
  package var checkpoints: String { "\(path)/checkpoints" }
  /// The newest state.
  package var last: String { "\(checkpoints)/last.safetensors" }
  /// The state with the least validation NMSE.
  package var best: String { "\(checkpoints)/best.safetensors" }

  package var holdsRun: Bool {
    [configuration, metrics, last, best].contains(where: fileExists)
  }

  /// The checkpoint that a command's argument means: a file itself, or the best of a run folder, or
  /// else its last.
  package static func checkpoint(
    _ runOrCheckpoint: String
  ) throws -> (checkpoint: String, run: RunFolder?) {
    guard isFolder(runOrCheckpoint) else {
      guard fileExists(runOrCheckpoint) else {
        throw Problem(
          .missingInput, runOrCheckpoint, found: "no such run folder or checkpoint",
          advice: "vqvae train makes one; it prints where.")
      }
      let parts = runOrCheckpoint.split(separator: "/", omittingEmptySubsequences: false)
      let isInRun = parts.count >= 3 && parts[parts.count - 2] == "checkpoints"
      return (
        runOrCheckpoint, isInRun ? RunFolder(parts.dropLast(2).joined(separator: "/")) : nil
      )
    }
    // The folder of the checkpoints means the run that they belong to.
    let inner = "/checkpoints"
    let path = RunFolder(runOrCheckpoint).path
    let run = RunFolder(path.hasSuffix(inner) ? String(path.dropLast(inner.count)) : path)
    guard let path = [run.best, run.last].first(where: fileExists) else {
      throw Problem(
        .missingInput, runOrCheckpoint, found: "the folder has no checkpoint",
        expected: "checkpoints/best.safetensors or checkpoints/last.safetensors",
        advice: "vqvae train --resume finishes a run that was stopped before its first one.")
    }
    return (path, run)
  }
}
