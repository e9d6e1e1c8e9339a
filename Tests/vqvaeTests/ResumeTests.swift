import Files
import Foundation
import TestSupport
import Testing

/// Resuming a run, and the protection of run folders.
@Suite("Resuming", .timeLimit(.minutes(5)))
struct ResumeTests {
  @Test("resuming a finished run says so and changes nothing")
  func finished() throws {
    try withRun { folder in
      let before = try files(below: folder + "/run")
      let result = try runProgram(["train", "--run", "run", "--resume"], in: folder)
      expect(result, 0)
      #expect(
        result.output
          == "run has already made 2 steps: nothing is left to do; raise training.steps to continue\n"
      )
      #expect(try files(below: folder + "/run") == before)
    }
  }

  @Test("a run that has made more than the requested steps is finished")
  func moreStepsThanAsked() throws {
    try withTemporaryFolder { folder in
      // Stopped before the validation of its last step.
      let stopped = try train(
        "run", ["training.steps=1000000", "training.log_every=1"], in: folder
      ) { process in
        try waitFor("step 3/", of: process, in: folder)
        process.terminate()
      }
      #expect(stopped.status == 143)
      let saved = try #require(stopped.errors.firstMatch(of: /at step (\d+)/)).1
      let result = try runProgram(
        ["train", "--run", "run", "--resume", "--set", "training.steps=1"], in: folder)
      expect(result, 0)
      #expect(
        result.output
          == "run has already made \(saved) steps (training.steps: 1): nothing is left to do; raise "
          + "training.steps to continue\n")
      #expect(!result.errors.contains("step "), "\(result.errors)")
    }
  }

  @Test("a single step is reported in the singular")
  func oneStep() throws {
    try withTemporaryFolder { folder in
      expect(try train("run", ["training.steps=1"], in: folder), 0, "done: 1 step\n")
      #expect(
        try runProgram(["train", "--run", "run", "--resume"], in: folder).output
          == "run has already made 1 step: nothing is left to do; raise training.steps to continue\n"
      )
    }
  }

  @Test("a changed experiment is refused for a finished run too")
  func finishedAndChanged() throws {
    try withRun { folder in
      let result = try runProgram(
        ["train", "--run", "run", "--resume", "--set", "training.warmup_steps=1"], in: folder)
      expect(result, 78, "the run has training.warmup_steps: 0, the configuration 1")
    }
  }

  @Test("the steps of a finished run with a cosine schedule cannot be raised")
  func finishedCosine() throws {
    try withRun(["training.schedule=cosine"]) { folder in
      let again = ["train", "--run", "run", "--resume"]
      #expect(
        try runProgram(again, in: folder).output
          == "run has already made 2 steps: nothing is left to do\n")
      expect(
        try runProgram(again + ["--set", "training.steps=3"], in: folder), 78,
        "the run has training.steps: 2, the configuration 3; a resumed run keeps it")
    }
  }

  @Test("without --config the run's own configuration is used, and --set can raise the steps")
  func withoutConfig() throws {
    try withRun { folder in
      let result = try runProgram(
        ["train", "--run", "run", "--resume", "--set", "training.steps=3"], in: folder)
      expect(result, 0, "resumed at step 2", "step 3/3")
      #expect(
        result.output == """
          run\trun
          last\trun/checkpoints/last.safetensors
          best\trun/checkpoints/best.safetensors

          """)
      // The raised number of steps has been saved in the run.
      #expect(
        try runProgram(["train", "--run", "run", "--resume"], in: folder).output.contains("3 steps")
      )
    }
  }

  @Test("a run can be resumed in a folder with another name")
  func moved() throws {
    try withRun { folder in
      try FileManager.default.moveItem(atPath: folder + "/run", toPath: folder + "/moved")
      let result = try runProgram(
        ["train", "--run", "moved/", "--resume", "--set", "training.steps=3"], in: folder)
      expect(result, 0, "run folder moved, resumed at step 2")
      #expect(try !fileExists(folder + "/run"))
    }
  }

  @Test("a changed experiment is refused, with both values of each field")
  func changedExperiment() throws {
    try withRun { folder in
      let before = try files(below: folder + "/run")
      let result = try runProgram(
        [
          "train", "--run", "run", "--resume", "--set", "model.hidden=16", "--set", "seed=2",
          "--set", "training.steps=4",
        ], in: folder)
      expect(
        result, 78, "the run has seed: 1, the configuration 2",
        "the run has model.hidden: 8, the configuration 16", "2 errors in the configuration")
      #expect(try files(below: folder + "/run") == before)
    }
  }

  @Test("images in another order are refused, although their number and variance agree")
  func swappedImages() throws {
    try withTemporaryFolder { folder in
      try writeImages(folder + "/images")
      expect(try train("run", imageSets("images"), in: folder), 0)
      let path = folder + "/images/data_batch_2.bin"
      let bytes = try contents(of: path)
      // The first two images, neither of which is held out.
      let (first, second) = (bytes[..<3073], bytes[3073..<6146])
      try write(Array(second + first + bytes[6146...]), to: path)
      let more = ["train", "--run", "run", "--resume", "--set", "training.steps=4"]
      expect(
        try runProgram(more, in: folder), 65,
        "the images have changed: as many with the same variance, but their fingerprint is")
      try write(bytes, to: path)
      expect(try runProgram(more, in: folder), 0)
    }
  }

  @Test(
    "a run whose configuration is missing or empty gets it from its checkpoint",
    arguments: [true, false])
  func lostConfiguration(isEmpty: Bool) throws {
    try withRun { folder in
      let path = folder + "/run/config.yaml"
      let before = try readText(path, limit: 1 << 16)
      if isEmpty {
        try write([], to: path)
      } else {
        try FileManager.default.removeItem(atPath: path)
      }
      let result = try runProgram(
        ["train", "--run", "run", "--resume", "--set", "training.steps=3"], in: folder)
      expect(result, 0, "resumed at step 2", "config.yaml is missing or empty", "training.steps 3")
      let after = try readText(path, limit: 1 << 16)
      #expect(after.contains("hidden: 8") && after.contains("steps: 3"))
      #expect(before.contains("hidden: 8"))
    }
  }

  @Test("for every command, a folder without a configuration and a checkpoint is not a run")
  func halfMade() throws {
    try withTemporaryFolder { folder in
      for files in [[], ["metrics.jsonl"]] {
        try createFolder(folder + "/run/checkpoints")
        for name in files { try write([], to: "\(folder)/run/\(name)") }
        expect(
          try runProgram(["train", "--run", "run", "--resume"], in: folder), 66,
          "there is no run to resume", "vqvae train --config FILE --run run")
        expect(try runProgram(["eval", "run"], in: folder), 66, "the folder has no checkpoint")
        expect(try train("run", in: folder), 0)
        try FileManager.default.removeItem(atPath: folder + "/run")
      }
    }
  }

  @Test("changed images are refused")
  func changedImages() throws {
    try withTemporaryFolder { folder in
      try writeImages(folder + "/images")
      expect(try train("run", imageSets("images"), in: folder), 0)
      try writeImages(folder + "/images")
      let result = try runProgram(
        ["train", "--run", "run", "--resume", "--set", "training.steps=4"], in: folder)
      expect(result, 65, "the images have changed: 108 to train on")
    }
  }

  @Test("only one process can train in a folder")
  func twoAtOnce() throws {
    try withTemporaryFolder { folder in
      let long = ["training.steps=1000000", "training.log_every=1"]
      try createFolder(folder + "/elsewhere")
      let first = try train("run", long, in: folder) { process in
        try waitFor("step 1/", of: process, in: folder)
        // From another folder, where the second program's output is collected.
        let elsewhere = folder + "/elsewhere"
        expect(
          try train(folder + "/run", long, in: elsewhere), 73, "the folder holds a run already")
        expect(
          try runProgram(["train", "--run", folder + "/run", "--resume"], in: elsewhere), 73,
          "run: another process is training in this folder", "--run")
        // The lock is on the folder, so removing a file does not release it.
        try FileManager.default.removeItem(atPath: folder + "/run/metrics.jsonl")
        expect(
          try runProgram(["train", "--run", folder + "/run", "--resume"], in: elsewhere), 73,
          "run: another process is training in this folder")
        process.terminate()
      }
      expect(first, 143, "saved run/checkpoints/last.safetensors")
      expect(
        try runProgram(
          ["train", "--run", "run", "--resume", "--set", "training.steps=1"], in: folder), 0)
    }
  }

  @Test("the run folder has only the resolved configuration, the metrics and the checkpoints")
  func runFolder() throws {
    try withRun { folder in
      #expect(
        try files(below: folder + "/run").keys.sorted() == [
          "checkpoints/best.safetensors", "checkpoints/last.safetensors", "config.yaml",
          "metrics.jsonl",
        ])
      let text = try readText(folder + "/run/config.yaml", limit: 1 << 16)
      for line in ["  hidden: 8", "  init: uniform", "  folder: run"] {
        #expect(text.contains("\n\(line)\n"))
      }
      // A field of another kind is not saved.
      #expect(!text.contains("ema_unused"))
      // The saved configuration reproduces the run.
      let again = try runProgram(
        ["train", "--config", "run/config.yaml", "--run", "again"], in: folder)
      expect(again, 0)
      #expect(
        try files(below: folder + "/run/checkpoints") == files(below: folder + "/again/checkpoints")
      )
    }
  }

  @Test(
    "checkpoints do not depend on the number of threads or on the folder", arguments: [2, 3])
  func threads(count: Int) throws {
    try withRun { folder in
      expect(try train("deep/in/run", flags: ["--threads", String(count)], in: folder), 0)
      #expect(
        try files(below: folder + "/run/checkpoints")
          == files(below: folder + "/deep/in/run/checkpoints"))
    }
  }
}
