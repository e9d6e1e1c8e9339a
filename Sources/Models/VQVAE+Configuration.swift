import Autoencoders
import Configurations
import Datasets
import Diagnostics
import NN
import Quantizers
import Tensors
import Training

/// A VQ-VAE as a configuration describes it, trained on images.
extension VQVAE: ConfiguredModel {
  package typealias Data = ImageSplit
  package typealias Facts = ImageFacts

  package static var typeName: String { "vqvae" }

  package init(_ configuration: Configuration, _ facts: ImageFacts) throws {
    try self.init(configuration, image: facts.image, variance: facts.variance)
  }

  /// - Throws: ``Problem`` if the architecture cannot take images of this shape.
  private init(_ configuration: Configuration, image: ImageShape, variance: Double) throws {
    let model = configuration.model
    guard model.takes(image) else {
      throw Problem(
        .badConfiguration, "model.architecture",
        found: "the images are \(image.height)×\(image.width)",
        expected: model.imageSizes(near: image))
    }
    let quantizer = configuration.quantizer.completed(from: model.codebookDefaults)
    let architecture = model.build(image: image, dimension: quantizer.dimension)
    var objective = Objective(variance: variance)
    objective.reconstruction = configuration.training.reconstruction
    objective.reduction = configuration.training.reduction
    self.init(
      architecture: architecture,
      quantizers: architecture.latents.map { quantizer.quantizer($0.name) },
      objective: objective, convolution: configuration.training.convolution)
  }

  package static func open(_ configuration: Configuration) throws -> Dataset<VQVAE> {
    let data = configuration.data
    let model = try VQVAE(configuration, image: data.image, variance: 1)
    try MemoryNeed(training: model.parameters, images: data.memory).check()
    let images = try data.images(seed: configuration.seed)
    return Dataset(
      train: images.train, validation: images.validation,
      facts: ImageFacts(
        image: images.train.image, trainingCount: images.train.count, variance: images.variance,
        fingerprint: images.fingerprint))
  }
}

extension ImageSplit: Examples {
  package func batch(at indices: some Collection<Int>, paddedTo size: Int) throws -> Tensor {
    try images(at: indices, paddedTo: size)
  }
}

extension Experiment<VQVAE> {
  /// The largest number of bits that the codes can carry for each number of an image. Models that are compared
  /// should be alike in it.
  package var bitsPerDimension: Double { model.codeBits / Double(facts.image.count) }
}
