import Configurations
import Diagnostics
import Tensors
import Training

/// What is known of the images of a run without having them open.
package struct ImageFacts: DataFacts {
  package let image: ImageShape
  /// How many images are trained on.
  package let trainingCount: Int
  /// σ² of their pixels, on a scale of 0…1.
  package let variance: Double
  /// Identifies all images (see ``Fingerprint``), or nil if a checkpoint of an early version does not say.
  package let fingerprint: String?

  package init(
    image: ImageShape, trainingCount: Int, variance: Double, fingerprint: String? = nil
  ) {
    self.image = image
    self.trainingCount = trainingCount
    self.variance = variance
    self.fingerprint = fingerprint
  }

  // MARK: Checkpoints

  private enum Key {
    static let image = "vqvae.image_shape"
    static let trainingCount = "vqvae.training_images"
    static let variance = "vqvae.variance"
    static let fingerprint = "vqvae.data_fingerprint"
  }

  private static let maximumExtent = 4096

  package var metadata: [String: String] {
    var result = [
      Key.image: Self.text(image), Key.trainingCount: String(trainingCount),
      Key.variance: "\(variance)",
    ]
    result[Key.fingerprint] = fingerprint
    return result
  }

  package init(_ metadata: CheckpointMetadata, _ configuration: Configuration) throws {
    let extents = try metadata.text(Key.image).split(
      separator: "x", omittingEmptySubsequences: false
    ).map { Int($0) ?? 0 }
    guard extents.count == 3, extents.allSatisfy({ (1...Self.maximumExtent).contains($0) }) else {
      throw metadata.error(Key.image, expected: "height, width and channels, such as 32x32x3")
    }
    image = ImageShape(height: extents[0], width: extents[1], channels: extents[2])
    guard configuration.model.takes(image) else {
      throw metadata.error(Key.image, expected: configuration.model.imageSizes(near: image))
    }
    guard image == configuration.data.image else {
      throw metadata.error(
        Key.image, expected: "\(Self.text(configuration.data.image)), as its configuration has it")
    }
    trainingCount = try metadata.integer(Key.trainingCount, in: 1...Int(Int32.max))
    if let count = configuration.data.trainingImages, count != trainingCount {
      throw metadata.error(Key.trainingCount, expected: "\(count), as its configuration has it")
    }
    variance = try metadata.positive(Key.variance)
    fingerprint = metadata[Key.fingerprint]
  }

  private static func text(_ image: ImageShape) -> String {
    "\(image.height)x\(image.width)x\(image.channels)"
  }

  // MARK: Resuming

  package func difference(from old: ImageFacts) -> (found: String, expected: String)? {
    if image != old.image { return ("the images are \(image)", "\(old.image)") }
    if trainingCount != old.trainingCount || variance != old.variance {
      return (
        "the images have changed: \(trainingCount) to train on with a variance of \(variance)",
        "\(old.trainingCount) with \(old.variance)"
      )
    }
    // A checkpoint of an early version has no fingerprint.
    guard let expected = old.fingerprint, expected != fingerprint else { return nil }
    return (
      "the images have changed: as many with the same variance, but their fingerprint is "
        + (fingerprint ?? "unknown"), expected
    )
  }
}
