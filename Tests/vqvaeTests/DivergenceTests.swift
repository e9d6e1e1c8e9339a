import Files
import Foundation
import TestSupport
import Testing

/// A loss that is not finite ends a run with status 70.
@Suite("Divergence", .timeLimit(.minutes(5)))
struct DivergenceTests {
  @Test(
    "the message names the step, and a checkpoint only if its loss is finite; its command works",
    arguments: ["vq", "ema", "fsq", "lfq"], ["1e9", "0.5"])
  func diverges(kind: String, rate: String) throws {
    try withTemporaryFolder { folder in
      let result = try train(
        "run",
        [
          "quantizer.kind=\(kind)", "training.learning_rate=\(rate)", "training.steps=400",
          "training.checkpoint_every=1",
        ], in: folder)
      guard rate == "1e9" || result.status == 70 else { return }
      expect(
        result, 70, " is not finite", "A lower learning rate usually helps; it makes another run:")
      #expect(result.output.isEmpty)
      let step = try #require(
        result.errors.firstMatch(of: /vqvae: error: step (\d+):/).flatMap { Int($0.1) })
      #expect((2...400).contains(step))

      // Every number in the checkpoint is finite, and the message describes it correctly.
      let loaded = try runProgram(["eval", "run/checkpoints/last.safetensors"], in: folder)
      #expect([0, 70].contains(loaded.status), "\(loaded.errors)")
      let isNamed = result.errors.contains("The loss of run/checkpoints/last.safetensors (step ")
      #expect(isNamed == (loaded.status == 0), "\(result.errors)")
      #expect(isNamed || result.errors.contains("has a finite loss"))

      let line = try #require(
        result.errors.split(separator: "\n").first { $0.hasPrefix("  vqvae train") })
      let command = line.split(separator: " ").map(String.init)
      #expect(command.contains("run-2") && command.contains("--init-from") == isNamed)
      let next = try runProgram(
        command.dropFirst() + ["--set", "training.steps=1", "--threads", "1"], in: folder)
      // A tenth of an absurd rate may be absurd too, but the command is valid.
      #expect([0, 70].contains(next.status), "\(next.errors)")
      #expect(try fileExists(folder + "/run-2/config.yaml"))
    }
  }

  /// A run with initial weights saves them as its checkpoint at step 0, which stays valid whatever follows.
  @Test("a checkpoint with a finite loss is named, and the command starts a run with its weights")
  func goodCheckpoint() throws {
    try withRun { folder in
      let result = try train(
        "wild",
        [
          "training.learning_rate=1e9", "training.steps=50", "training.checkpoint_every=0",
          "training.validate_every=0",
        ],
        flags: ["--threads", "1", "--init-from", "run"], in: folder)
      expect(
        result, 70, "The loss of wild/checkpoints/last.safetensors (step 0) is finite.")
      let line = try #require(
        result.errors.split(separator: "\n").first { $0.hasPrefix("  vqvae train") })
      let command = line.split(separator: " ").map(String.init)
      #expect(command.contains("--init-from"))
      let next = try runProgram(
        command.dropFirst() + [
          "--set", "training.learning_rate=1e-4", "--set", "training.steps=2",
        ],
        in: folder)
      expect(next, 0, "done: 2 steps")
    }
  }

  /// Adam averages squares, which overflow long before the gradients; and a validation can fail first.
  @Test(
    "whatever the learning rate, saved checkpoints can be read and evaluated",
    arguments: ["3", "30", "1e6", "1e11"], ["vq", "ema", "fsq", "lfq"])
  func readable(rate: String, kind: String) throws {
    try withTemporaryFolder { folder in
      let result = try train(
        "run",
        [
          "quantizer.kind=\(kind)", "model.preset=sonnet", "training.learning_rate=\(rate)",
          "training.steps=40", "training.checkpoint_every=1", "training.validate_every=1",
        ], in: folder)
      #expect([0, 70].contains(result.status), "\(result.errors)")
      for name in ["last", "best"] {
        let path = "run/checkpoints/\(name).safetensors"
        guard try fileExists("\(folder)/\(path)") else { continue }
        let loaded = try runProgram(["eval", path, "--json"], in: folder)
        #expect([0, 70].contains(loaded.status), "\(path): \(loaded.errors)")
      }
    }
  }

  @Test("without a checkpoint the message says that there is none")
  func noCheckpoint() throws {
    try withTemporaryFolder { folder in
      let result = try train(
        "run",
        ["training.learning_rate=1e9", "training.steps=50", "training.validate_every=0"],
        in: folder)
      expect(result, 70, "No checkpoint of this run has a finite loss.")
      #expect(try !fileExists(folder + "/run/checkpoints/last.safetensors"))
    }
  }

  @Test("the metrics of the steps before the divergence are kept")
  func metrics() throws {
    try withTemporaryFolder { folder in
      let result = try train(
        "run", ["training.learning_rate=1e9", "training.steps=50", "training.checkpoint_every=1"],
        in: folder)
      let step = try #require(
        result.errors.firstMatch(of: /vqvae: error: step (\d+):/).flatMap { Int($0.1) })
      let lines = try readText(folder + "/run/metrics.jsonl", limit: 1 << 20).split(separator: "\n")
      #expect(try lines.map { try object(String($0))["step"] as? Int } == Array(1..<step))
    }
  }
}
