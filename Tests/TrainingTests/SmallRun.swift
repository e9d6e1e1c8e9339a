import Autoencoders
import Configurations
import Datasets
import Models
import Quantizers
import Tensors
import TestSupport
import Training

/// The settings for each architecture except the default one, which the small configuration has.
let otherArchitectures = ModelSection.kinds.filter { $0 != "residual" }
  .map { "model.architecture=\($0)" }

/// A configuration that trains in milliseconds, with several shards per step.
func smallConfiguration(_ settings: String...) throws -> Configuration {
  try smallConfiguration(settings)
}

func smallConfiguration(_ settings: [String]) throws -> Configuration {
  let name = settings.last { $0.hasPrefix("model.architecture=") }?.split(separator: "=").last
  let section = ModelSection(kind: String(name ?? "residual"))
  let model = [
    ("hidden", "8"), ("residual_layers", "1"), ("residual_hidden", "4"), ("widths", "[16, 32]"),
    ("groups", "8"), ("dropout", "0.1"),
  ]
  .filter { section?.has(field: $0.0) ?? false }
  .map { "\($0): \($1)" }.joined(separator: ", ")
  return try ConfigurationReader.read(
    yaml: """
      data: {kind: synthetic, images: 300, validation: 0.1}
      model: {\(model)}
      quantizer: {codebook_size: 24, dimension: 6}
      training: {steps: 6, batch_size: 70, learning_rate: 0.003, checkpoint_every: 0, \
      validate_every: 0}
      """, name: "small.yaml", overrides: settings)
}

/// Trains a configuration to its end in a folder and returns the run's folder.
@discardableResult
func train(
  _ configuration: Configuration, in folder: String, threads: Int = 2, resume: Bool = false,
  observe: (RunEvent) throws -> Void = { _ in }
) throws -> RunFolder {
  var configuration = configuration
  configuration.output.folder = folder
  let start =
    try resume ? RunStart<VQVAE>(resuming: configuration) : RunStart<VQVAE>(new: configuration)
  var run = try TrainingRun<VQVAE>(start, threads: threads)
  _ = try run.run(observe: observe)
  return run.folder
}
