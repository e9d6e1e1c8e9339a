import Configurations
import Diagnostics
import Files
import TestSupport
import Testing
import Training

@Suite("Run folders")
struct RunFolderTests {
  @Test("a run folder refers to its best checkpoint, or to its last if there is no best")
  func resolution() throws {
    try withTemporaryFolder { folder in
      let run = RunFolder("\(folder)/run/")
      #expect(run.path == "\(folder)/run")
      try createFolder(run.checkpoints)
      #expect(throws: Problem.self) { try RunFolder.checkpoint(run.path) }
      try write([1], to: run.last)
      #expect(try RunFolder.checkpoint(run.path).checkpoint == run.last)
      try write([1], to: run.best)
      #expect(try RunFolder.checkpoint(run.path).checkpoint == run.best)
      // A checkpoint belongs to the run around it, and so does the folder of the checkpoints.
      #expect(try RunFolder.checkpoint(run.last).run == nil)
      try write([], to: run.configuration)
      let file = try RunFolder.checkpoint(run.last)
      #expect(file.checkpoint == run.last)
      #expect(try contents(of: try #require(file.run).configuration) == [])
      #expect(try RunFolder.checkpoint(run.checkpoints).checkpoint == run.best)
      #expect(throws: Problem.self) { try RunFolder.checkpoint("\(folder)/nothing") }
    }
  }

  @Test("an existing run is not overwritten, and a missing run cannot be resumed")
  func protection() throws {
    let configuration = try smallConfiguration("training.steps=1")
    try withTemporaryFolder { folder in
      let missing = try #require(throws: Problem.self) {
        try train(configuration, in: "\(folder)/run", resume: true)
      }
      #expect(missing.status == .missingInput)
      #expect(try !fileExists("\(folder)/run"))

      try train(configuration, in: "\(folder)/run")
      let before = try contents(of: "\(folder)/run/checkpoints/last.safetensors")
      let taken = try #require(throws: Problem.self) {
        try train(configuration, in: "\(folder)/run")
      }
      #expect(taken.status == .cannotCreate)
      #expect(try contents(of: "\(folder)/run/checkpoints/last.safetensors") == before)
    }
  }

  /// A crash before the first checkpoint leaves a folder with a configuration alone.
  @Test("a run without a checkpoint is resumed from step 0")
  func noCheckpoint() throws {
    var configuration = try smallConfiguration("training.steps=2")
    try withTemporaryFolder { folder in
      let whole = try train(configuration, in: "\(folder)/whole")
      let crashed = RunFolder("\(folder)/crashed")
      try createFolder(crashed.checkpoints)
      try write(
        Array("{\"step\":1,\"loss\":1,\"nmse\":1,\"perplexity\":1,\"codesUsed\":1}\n".utf8),
        to: crashed.metrics)
      // Metrics alone are not a run: a new one can start there, and nothing can be resumed.
      #expect(try !crashed.holdsRun)
      #expect(throws: Problem.self) { try train(configuration, in: crashed.path, resume: true) }
      configuration.output.folder = crashed.path
      try write(Array(configuration.yaml().utf8), to: crashed.configuration)
      #expect(throws: Problem.self) { try train(configuration, in: crashed.path) }
      try train(configuration, in: crashed.path, resume: true)
      #expect(try contents(of: crashed.last) == contents(of: whole.last))
    }
  }

  @Test("a resumed run is the same experiment on the same images")
  func sameExperiment() throws {
    try withTemporaryFolder { folder in
      try train(smallConfiguration("training.steps=2"), in: folder + "/run")
      let changed = try #require(throws: ConfigurationError.self) {
        try train(
          smallConfiguration("training.steps=4", "quantizer.commitment=0.5", "seed=2"),
          in: folder + "/run", resume: true)
      }
      #expect(changed.faults.count == 2)
      #expect(changed.description.contains("quantizer.commitment: 0.25"))
      // More steps, other intervals and other threads are the same experiment.
      try train(
        smallConfiguration("training.steps=4", "training.checkpoint_every=1"),
        in: folder + "/run", threads: 3, resume: true)
    }
  }
}
