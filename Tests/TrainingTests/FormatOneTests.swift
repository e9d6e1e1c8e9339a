import Configurations
import Datasets
import Files
import Runtime
import TestSupport
import Testing
import Training
import VectorQuantization

/// A checkpoint of format 1 from before fields belonged to a kind: `quantizer.kind` is `vq`, and its
/// configuration has `quantizer.decay`, `epsilon` and `ema_unused`. Made by commit 26b3ca3 from synthetic
/// images of 8×8.
@Suite("Checkpoints of the first format")
struct FormatOneTests {
  private let path = testsFolder + "/Fixtures/format-1.safetensors"

  @Test("the file has fields of another kind")
  func fixture() throws {
    let text = try #require(
      try SafetensorsFile(path, maximumHeader: 1 << 20).metadata["vqvae.config"])
    #expect(text.contains("kind: vq") && text.contains("decay: 0.99"))
    // A user's file may not.
    #expect(throws: ConfigurationError.self) {
      try ConfigurationReader.read(yaml: text, name: "c.yaml", needsData: false)
    }
  }

  @Test("it is read without them, and evaluated")
  func reads() throws {
    let checkpoint = try Checkpoint(path)
    let experiment = checkpoint.experiment
    #expect(checkpoint.state.step == 2)
    #expect(experiment.configuration.quantizer.kind == "vq")
    #expect(experiment.configuration.quantizer.codebook.initialization == .uniform)
    #expect(!experiment.configuration.yaml().contains("  decay:"))
    let evaluation = try Evaluation(
      of: experiment.model, checkpoint.state.values,
      on: experiment.configuration.split(.validation),
      variance: experiment.variance, pool: WorkerPool(threads: 1))
    #expect(evaluation?.nmse == checkpoint.state.bestNMSE)
  }

  @Test("a run of it is resumed, from its own config.yaml too")
  func resumes() throws {
    try withTemporaryFolder { folder in
      let run = RunFolder(folder + "/run")
      try createFolder(run.checkpoints)
      try write(contents(of: path), to: run.last)
      var (configuration, note) = try run.savedConfiguration(overrides: ["training.steps=3"])
      #expect(note != nil)
      let file = """
        data: {kind: synthetic, images: 20, side: 8}
        model: {architecture: residual, hidden: 4, residual_layers: 1, residual_hidden: 2}
        quantizer: {kind: vq, codebook_size: 8, dimension: 4, decay: 0.99, ema_unused: keep}
        training: {steps: 2, batch_size: 8}

        """
      try write(Array(file.utf8), to: run.configuration)
      let saved = try run.savedConfiguration(overrides: ["training.steps=3"])
      #expect(saved.note == nil)
      #expect(saved.configuration == configuration)
      configuration = saved.configuration
      try train(configuration, in: run.path, resume: true)
      #expect(try Checkpoint(run.last).state.step == 3)
      #expect(!(try readText(run.configuration, limit: 1 << 16).contains("  decay:")))
    }
  }
}
