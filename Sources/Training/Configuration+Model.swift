import Configurations
import Diagnostics
import NN
import VectorQuantization

extension Configuration {
  /// The model that is described, for images of a size.
  ///
  /// - Parameter variance: σ² of the training images.
  package func model(imageHeight: Int, imageWidth: Int, variance: Double = 1) -> VQVAE {
    let quantizer = quantizer.completed(from: model.codebookDefaults)
    let architecture = model.build(
      imageHeight: imageHeight, imageWidth: imageWidth, dimension: quantizer.codebook.dimension)
    var objective = Objective(variance: variance)
    objective.reconstruction = training.reconstruction
    objective.reduction = training.reduction
    return VQVAE(
      architecture: architecture,
      quantizers: architecture.latents.map { quantizer.quantizer($0.name) },
      objective: objective, convolution: training.convolution)
  }

  /// Throws if the architecture cannot take images of a size.
  func check(imageHeight: Int, imageWidth: Int) throws {
    guard model.takes(imageHeight: imageHeight, imageWidth: imageWidth) else {
      throw Problem(
        .badConfiguration, "model.architecture",
        found: "the images are \(imageHeight)×\(imageWidth)",
        expected: model.imageSizes)
    }
  }
}
