import Files
import Foundation
import TestSupport
import Testing

/// SIGINT and SIGTERM.
@Suite("Signals", .timeLimit(.minutes(5)))
struct SignalTests {
  private static let steps = 300
  private static let sets = [
    "training.steps=\(steps)", "training.log_every=1", "training.validate_every=25",
    "training.checkpoint_every=100",
  ]

  @Test(
    "a signal saves the state, and the printed command makes what an undisturbed run makes",
    arguments: [SIGINT, SIGTERM])
  func stopAndResume(signal: Int32) throws {
    try withTemporaryFolder { folder in
      let stopped = try train("run", Self.sets, in: folder) { process in
        try waitFor("step 7/", of: process, in: folder)
        kill(process.processIdentifier, signal)
      }
      expect(
        stopped, signal == SIGINT ? 130 : 143,
        "stopping after this step; once more to leave at once")
      #expect(stopped.output.isEmpty)
      let place = /saved run\/checkpoints\/last\.safetensors at step (\d+); resume with:\n  (.+)\n/
      let saved = try #require(stopped.errors.firstMatch(of: place), "\(stopped.errors)")
      let step = try #require(Int(saved.1))
      #expect((7..<Self.steps).contains(step))
      let checkpoint = try SafetensorsFile(folder + "/run/checkpoints/last.safetensors")
      #expect(checkpoint.metadata["vqvae.step"] == String(step))
      #expect(try loggedSteps(folder + "/run") == Array(1...step))

      let command = saved.2.split(separator: " ").map(String.init)
      #expect(command == [programPath, "train", "--run", "run", "--resume"])
      let resumed = try runProgram(Array(command.dropFirst()), in: folder)
      expect(resumed, 0, "resumed at step \(step)", "done: \(Self.steps) steps")

      let undisturbed = try train("other", Self.sets, in: folder)
      expect(undisturbed, 0)
      for name in ["last", "best"] {
        #expect(
          try contents(of: "\(folder)/run/checkpoints/\(name).safetensors")
            == contents(of: "\(folder)/other/checkpoints/\(name).safetensors"), "\(name)")
      }
      #expect(try loggedSteps(folder + "/run") == Array(1...Self.steps))
    }
  }

  /// The steps of training in the metrics, in their order.
  private func loggedSteps(_ run: String) throws -> [Int] {
    try readText(run + "/metrics.jsonl", limit: 1 << 20).split(separator: "\n")
      .map { try object(String($0)) }.filter { $0["split"] == nil }
      .map { try #require($0["step"] as? Int) }
  }

  @Test("the printed command works for a folder with a blank in its name")
  func folderWithBlank() throws {
    try withTemporaryFolder { folder in
      let stopped = try train("my run", Self.sets, in: folder) { process in
        try waitFor("step 2/", of: process, in: folder)
        process.interrupt()
      }
      #expect(stopped.status == 130)
      #expect(stopped.errors.contains(" --run 'my run' --resume\n"), "\(stopped.errors)")
    }
  }

  @Test("a second signal leaves at once, without saving", arguments: [SIGINT, SIGTERM])
  func secondSignal(second: Int32) throws {
    try withTemporaryFolder { folder in
      // A step of minutes, so that leaving after the step would not pass unnoticed.
      let sets = [
        "model.hidden=256", "data.images=65536", "training.batch_size=65536", "data.validation=0",
      ]
      let result = try train("run", sets, in: folder) { process in
        try waitFor("run folder", of: process, in: folder)
        process.interrupt()
        try waitFor("stopping after this step", of: process, in: folder)
        kill(process.processIdentifier, second)
      }
      expect(result, 128 + second)
      #expect(!fileExists(folder + "/run/checkpoints/last.safetensors"))
      #expect(!result.errors.contains("saved"))
    }
  }

  @Test("a run that was left before its first checkpoint can be resumed from its start")
  func resumeFromStart() throws {
    try withTemporaryFolder { folder in
      let sets = ["training.steps=1000000", "training.checkpoint_every=0", "training.log_every=1"]
      let killed = try train("run", sets, in: folder) { process in
        try waitFor("step 3/", of: process, in: folder)
        kill(process.processIdentifier, SIGKILL)
      }
      #expect(killed.status == 128 + SIGKILL)
      expect(try runProgram(["eval", "run"], in: folder), 66, "the folder has no checkpoint")
      let resumed = try runProgram(
        ["train", "--run", "run", "--resume", "--set", "training.steps=2"], in: folder)
      expect(resumed, 0, "done: 2 steps")
      #expect(try loggedSteps(folder + "/run") == [1, 2])
    }
  }
}
