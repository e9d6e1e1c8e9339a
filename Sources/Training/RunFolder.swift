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
      let folder = runOrCheckpoint.lastIndex(of: "/").map { runOrCheckpoint[..<$0] } ?? "."
      return (runOrCheckpoint, RunFolder("\(folder)/..").ifItHoldsRun)
    }
    let run = RunFolder(runOrCheckpoint)
    if let path = [run.best, run.last].first(where: fileExists) { return (path, run) }
    // The folder of the checkpoints means the run that they belong to.
    let inner = ["best", "last"].map { "\(run.path)/\($0).safetensors" }
    if let path = inner.first(where: fileExists) {
      return (path, RunFolder("\(run.path)/..").ifItHoldsRun)
    }
    throw Problem(
      .missingInput, runOrCheckpoint, found: "the folder has no checkpoint",
      expected: "checkpoints/best.safetensors or checkpoints/last.safetensors",
      advice: run.holdsRun
        ? "vqvae train --resume finishes a run that was stopped before its first one."
        : "vqvae train makes run folders; it prints where.")
  }

  private var ifItHoldsRun: RunFolder? { fileExists(configuration) ? self : nil }
}
