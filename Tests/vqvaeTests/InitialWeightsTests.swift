import Files
import Foundation
import TestSupport
import Testing

/// A new run that starts with the weights of another run.
@Suite("Initial weights", .timeLimit(.minutes(5)))
struct InitialWeightsTests {
  @Test(
    "a new run with another learning rate and other images starts with the weights at step 0",
    arguments: ["vq", "ema", "fsq", "lfq"])
  func start(kind: String) throws {
    try withRun(["quantizer.kind=\(kind)"]) { folder in
      let sets = [
        "quantizer.kind=\(kind)", "training.learning_rate=1e-4", "seed=5", "training.steps=3",
      ]
      let flags = ["--threads", "1", "--init-from", "run"]
      expect(try train("tuned", sets, flags: flags, in: folder), 0, "step 3/3")
      let tuned = try SafetensorsFile(folder + "/tuned/checkpoints/last.safetensors")
      #expect(tuned.metadata["vqvae.step"] == "3")

      // A repetition gives the same result. An Adam step at rate 1e-4 moves a weight by about 1e-4 at most.
      expect(try train("again", sets, flags: flags, in: folder), 0)
      #expect(
        try contents(of: folder + "/again/checkpoints/last.safetensors")
          == contents(of: folder + "/tuned/checkpoints/last.safetensors"))
      let source = try SafetensorsFile(folder + "/run/checkpoints/best.safetensors")
      let name = "encoder.conv1.weight"
      let moved = try zip(source.elements(name), tuned.elements(name)).map { abs($0 - $1) }.max()
      #expect(try #require(moved) > 0)
      #expect(try #require(moved) < 1e-3)
    }
  }

  @Test("a run that is killed before its first checkpoint resumes with its initial weights")
  func killedEarly() throws {
    try withRun { folder in
      let sets = ["training.steps=1000000", "training.checkpoint_every=0", "training.log_every=1"]
      let killed = try train("tuned", sets, flags: ["--init-from", "run"], in: folder) { process in
        try waitFor("step 3/", of: process, in: folder)
        kill(process.processIdentifier, SIGKILL)
      }
      #expect(killed.status == 128 + SIGKILL)
      let resume = ["train", "--run", "tuned", "--resume", "--set", "training.steps=4"]
      expect(try runProgram(resume, in: folder), 0)
      expect(
        try train("whole", ["training.steps=4"], flags: ["--init-from", "run"], in: folder), 0)
      #expect(
        try contents(of: folder + "/tuned/checkpoints/last.safetensors")
          == contents(of: folder + "/whole/checkpoints/last.safetensors"))
    }
  }

  @Test(
    "weights of another model are refused with the first tensor that differs; nothing is created")
  func otherModel() throws {
    try withRun { folder in
      let result = try train(
        "tuned", ["model.hidden=16"], flags: ["--init-from", "run"], in: folder)
      expect(
        result, 65, "run/checkpoints/best.safetensors: the tensor ", "has the shape", "expected")
      #expect(try !fileExists(folder + "/tuned"))
      expect(
        try train("tuned", flags: ["--init-from", "nothing"], in: folder), 66,
        "nothing: no such run folder or checkpoint")
      expect(
        try train("run", flags: ["--init-from", "run", "--resume"], in: folder), 64,
        "exclude each other")
    }
  }
}
