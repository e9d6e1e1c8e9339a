import Files
import Foundation
import TestSupport
import Testing

/// A loss that is no number ends a run with 70.
@Suite("Divergence", .timeLimit(.minutes(5)))
struct DivergenceTests {
  @Test(
    "the step and the last good checkpoint are named, and it still loads", arguments: ["vq", "ema"])
  func diverges(kind: String) throws {
    try withTemporaryFolder { folder in
      let result = try train(
        "run",
        [
          "quantizer.kind=\(kind)", "training.learning_rate=1e9", "training.steps=50",
          "training.checkpoint_every=1",
        ], in: folder)
      expect(
        result, 70, "the loss or a gradient is not finite",
        "The last good checkpoint is run/checkpoints/last.safetensors", "training.learning_rate")
      #expect(result.output.isEmpty)
      let step = try #require(
        result.errors.firstMatch(of: /vqvae: error: step (\d+):/).flatMap { Int($0.1) })
      #expect((2...20).contains(step))
      let checkpoint = try SafetensorsFile(folder + "/run/checkpoints/last.safetensors")
      #expect(checkpoint.metadata["vqvae.step"] == String(step - 1))
      // It is read, and every number in it is finite; what the model makes of an image may not be.
      let loaded = try runProgram(["eval", "run/checkpoints/last.safetensors"], in: folder)
      #expect([0, 70].contains(loaded.status), "\(loaded.errors)")
      #expect(loaded.errors.contains("last.safetensors, step \(step - 1)"), "\(loaded.errors)")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder + "/run/checkpoints")
      #expect(left.filter { $0.hasPrefix(".") }.isEmpty)
    }
  }

  /// Adam averages squares, which overflow long before the gradients; and a validation can fail first.
  @Test(
    "whatever the learning rate, what is saved can be read and used again",
    arguments: ["3", "30", "1e6", "1e11"], ["vq", "ema"])
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
        guard fileExists("\(folder)/\(path)") else { continue }
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
      expect(result, 70, "No checkpoint had been saved yet.")
      #expect(!fileExists(folder + "/run/checkpoints/last.safetensors"))
    }
  }

  @Test("what was learned before stays: the metrics of the good steps are there")
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
