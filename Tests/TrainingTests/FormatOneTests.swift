import Autoencoders
import Configurations
import Datasets
import Files
import Models
import Quantizers
import Runtime
import Tensors
import TestSupport
import Testing
import Training

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
    // In a user's file this is an error.
    #expect(throws: ConfigurationError.self) {
      try ConfigurationReader.read(yaml: text, name: "c.yaml", needsData: false)
    }
  }

  @Test("it is read without them, and evaluated")
  func reads() throws {
    let checkpoint = try Checkpoint<VQVAE>(path)
    let experiment = checkpoint.experiment
    #expect(checkpoint.state.step == 2)
    #expect(experiment.configuration.quantizer.kind == "vq")
    #expect(experiment.configuration.quantizer.codebook.initialization == .uniform)
    #expect(!experiment.configuration.yaml().contains("  decay:"))
    let evaluation = try Evaluation(
      of: experiment.model, checkpoint.state.values,
      on: experiment.configuration.data.split(.validation, seed: experiment.configuration.seed),
      pool: WorkerPool(threads: 1))
    #expect(evaluation?["nmse"] == checkpoint.state.best)
  }

  @Test("a run of format 1 is resumed, also with its own config.yaml")
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
      #expect(try Checkpoint<VQVAE>(run.last).state.step == 3)
      #expect(!(try readText(run.configuration, limit: 1 << 16).contains("  decay:")))
    }
  }

  /// Made by commit 7aadd1b: three steps with `quantizer.kind: ema` on images of 8×8.
  @Test("averages are found under their old names, and written under the new ones")
  func averages() throws {
    let old = testsFolder + "/Fixtures/format-1-ema.safetensors"
    let file = try SafetensorsFile(old)
    #expect(file.metadata["vqvae.format"] == "1" && file.metadata["vqvae.image"] == "8x8")
    let checkpoint = try Checkpoint<VQVAE>(old)
    #expect(checkpoint.experiment.facts.image == ImageShape(height: 8, width: 8, channels: 3))
    try withTemporaryFolder { folder in
      let path = folder + "/new.safetensors"
      try checkpoint.write(path)
      let new = try SafetensorsFile(path)
      #expect(new.metadata["vqvae.format"] == "2" && new.metadata["vqvae.model"] == "vqvae")
      #expect(new.metadata["vqvae.best"] == file.metadata["vqvae.best_nmse"])
      #expect(new.metadata["vqvae.image_shape"] == "8x8x3" && new.metadata["vqvae.image"] == nil)
      #expect(new.entries.count == file.entries.count)
      for part in ["size", "sum"] {
        #expect(
          try new.elements("quantizer.ema.\(part)") == file.elements("ema.quantizer.\(part)"))
      }
      #expect(try Checkpoint<VQVAE>(path).state.step == 3)
    }
  }
}
