import Files
import Foundation
import TestSupport
import Testing

/// A disk that fills up while a checkpoint is saved, simulated by a limit on the size of files.
@Suite("Full disk", .timeLimit(.minutes(5)))
struct FullDiskTests {
  /// Resumes a run with a limit on the size of files. The shell resets SIGXFSZ, the limit's signal, so that
  /// the program itself has to ignore it.
  private func resume(_ run: String, kibibytes: Int, _ sets: [String], in folder: String) throws
    -> ProgramResult
  {
    try runProgram(
      ["train", "--run", run, "--resume", "--threads", "1"] + sets.flatMap { ["--set", $0] },
      in: folder, shell: "ulimit -f \(kibibytes); trap - XFSZ; exec \"$@\"")
  }

  @Test("the previous checkpoint is intact, nothing partial is left, and the run can be resumed")
  func previousCheckpoint() throws {
    try withRun(["data.validation=0"]) { folder in
      let checkpoints = folder + "/run/checkpoints"
      let before = try files(below: checkpoints)
      #expect(before.keys.sorted() == ["last.safetensors"])
      let size = try #require(before["last.safetensors"]).count
      try #require(size > 16 * 1024)

      let result = try resume(
        "run", kibibytes: size / 2048, ["training.steps=4"], in: folder)
      expect(
        result, 74,
        "vqvae: error: run/checkpoints/last.safetensors: writing failed: File too large")
      #expect(result.output.isEmpty)
      #expect(try files(below: checkpoints) == before)

      expect(try runProgram(["eval", "run", "--split", "test"], in: folder), 0, "step 2")
      expect(
        try runProgram(["train", "--run", "run", "--resume"], in: folder), 0, "resumed at step 2")
      try withRun(["data.validation=0", "training.steps=4"]) { other in
        let expected = try files(below: other + "/run/checkpoints")
        #expect(try files(below: checkpoints) == expected)
      }
    }
  }

  @Test("the best checkpoint stays intact, like the last")
  func bestCheckpoint() throws {
    try withRun { folder in
      let before = try files(below: folder + "/run/checkpoints")
      #expect(before.keys.sorted() == ["best.safetensors", "last.safetensors"])
      let result = try resume(
        "run", kibibytes: 16, ["training.steps=6", "training.validate_every=1"], in: folder)
      expect(
        result, 74, ".safetensors: writing failed: File too large",
        "run/checkpoints/last.safetensors has step 2")
      #expect(try files(below: folder + "/run/checkpoints") == before)
      // If only the best checkpoint is left, the message names it.
      try FileManager.default.removeItem(atPath: folder + "/run/checkpoints/last.safetensors")
      let alone = try resume("run", kibibytes: 16, ["training.steps=6"], in: folder)
      expect(alone, 74, "run/checkpoints/best.safetensors has step 2")
    }
  }
}
