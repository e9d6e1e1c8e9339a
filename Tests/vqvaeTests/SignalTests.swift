import Files
import Foundation
import TestSupport
import Testing

/// SIGINT, SIGTERM, SIGHUP and SIGUSR1.
@Suite("Signals", .timeLimit(.minutes(5)))
struct SignalTests {
  private static let steps = 300
  private static let sets = [
    "training.steps=\(steps)", "training.log_every=1", "training.validate_every=25",
    "training.checkpoint_every=100",
  ]

  @Test(
    "after a signal, the printed command gives the same checkpoint as an uninterrupted run",
    arguments: [SIGINT, SIGTERM, SIGHUP])
  func stopAndResume(signal: Int32) throws {
    try withTemporaryFolder { folder in
      let stopped = try train("run", Self.sets, in: folder) { process in
        try waitFor("step 7/", of: process, in: folder)
        kill(process.processIdentifier, signal)
      }
      expect(
        stopped, 128 + signal,
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

  /// The training steps in the metrics, in order.
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

  @Test("a second signal ends the program at once, without saving", arguments: [SIGINT, SIGTERM])
  func secondSignal(second: Int32) throws {
    try withTemporaryFolder { folder in
      // A step takes minutes, so that the test would notice if the program finished it.
      let sets = [
        "model.hidden=256", "data.images=65536", "training.batch_size=65536", "data.validation=0",
      ]
      let result = try train("run", sets, in: folder) { process in
        try waitFor("run folder", of: process, in: folder)
        // The handlers are installed with the first step.
        usleep(300_000)
        process.interrupt()
        try waitFor("stopping after this step", of: process, in: folder)
        // The same signal at once would count as a repetition of the first one.
        usleep(600_000)
        #expect(process.isRunning)
        kill(process.processIdentifier, second)
      }
      expect(result, 75, "left without saving")
      #expect(try !fileExists(folder + "/run/checkpoints/last.safetensors"))
      #expect(!result.errors.contains("saved"))
    }
  }

  @Test("SIGUSR1 saves, and training continues to the same result")
  func saveRequest() throws {
    try withTemporaryFolder { folder in
      let sets =
        Self.sets.filter { !$0.hasPrefix("training.checkpoint_every") }
        + ["training.checkpoint_every=0"]
      let result = try train("run", sets, in: folder) { process in
        try waitFor("step 7/", of: process, in: folder)
        kill(process.processIdentifier, SIGUSR1)
        try waitFor("as SIGUSR1 asked", of: process, in: folder)
        #expect(try fileExists(folder + "/run/checkpoints/last.safetensors"))
      }
      expect(result, 0, "saved at step", "done: \(Self.steps) steps")
      expect(try train("other", sets, in: folder), 0)
      #expect(
        try contents(of: "\(folder)/run/checkpoints/last.safetensors")
          == contents(of: "\(folder)/other/checkpoints/last.safetensors"))
    }
  }

  @Test("while images are generated, a signal ends the program at once; nothing is created")
  func beforeTheFirstStep() throws {
    try withTemporaryFolder { folder in
      let clock = ContinuousClock()
      var sent = clock.now
      let result = try train("run", ["data.images=1000000"], in: folder) { process in
        usleep(700_000)
        kill(process.processIdentifier, SIGTERM)
        sent = clock.now
      }
      #expect(result.status == 128 + SIGTERM)
      #expect(clock.now - sent < .seconds(20))
      #expect(result.errors.isEmpty)
      let isThere = try fileExists(folder + "/run")
      #expect(!isThere)
    }
  }

  @Test("a signal that was ignored at the start stays ignored")
  func ignored() throws {
    try withTemporaryFolder { folder in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/bash")
      let sets = ["model.hidden=8", "data.images=128", "training.steps=200"]
      process.arguments =
        [
          "-c", "trap '' HUP; exec \"$0\" \"$@\"", programPath, "train", "--config",
          smokeConfiguration,
        ]
        + ["--run", "run"] + sets.flatMap { ["--set", $0] }
      process.currentDirectoryURL = URL(fileURLWithPath: folder)
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      for _ in 0..<20 {
        kill(process.processIdentifier, SIGHUP)
        usleep(10_000)
      }
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    }
  }

  @Test("a run that was ended before its first checkpoint can be resumed from the start")
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
