import Configurations
import Diagnostics
import NN
import VectorQuantization

extension Configuration {
  /// The model that is described, for images of a size.
  package func model(imageHeight: Int, imageWidth: Int) -> VQVAE {
    let quantizer = quantizer.completed(from: model.codebookDefaults)
    let architecture = model.build(
      imageHeight: imageHeight, imageWidth: imageWidth, dimension: quantizer.codebook.dimension)
    return VQVAE(
      architecture: architecture,
      quantizers: architecture.latents.map { quantizer.quantizer($0.name) },
      commitment: Float(quantizer.codebook.commitment), objective: objective,
      convolution: training.convolution)
  }

  private var objective: Objective {
    var objective = Objective()
    objective.weighting = quantizer.codebook.weighting
    objective.reconstruction = training.reconstruction
    objective.reduction = training.reduction
    return objective
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
