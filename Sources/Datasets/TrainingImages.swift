import Tensors

/// The images that are trained on, and those held out of them for validation.
package struct TrainingImages: Sendable {
  package let train: ImageSplit
  package let validation: ImageSplit
  /// The variance of the training split's pixels, on a scale of 0…1.
  package let variance: Double
  /// Identifies the images of both splits by their bytes (see ``Fingerprint``).
  package let fingerprint: String

  /// Divides a source.
  ///
  /// - Parameters:
  ///   - fraction: how much is held out (see ``HeldOut``).
  ///   - summary: makes one pass over the source, with the moments of those images for which the closure
  ///     returns true.
  package init(
    _ source: some ImageSource, validation fraction: Double,
    summary: (_ isIncluded: (Int) -> Bool) throws -> ImageSummary
  ) throws {
    let heldOut = HeldOut(count: source.count, fraction: fraction)
    train = ImageSplit(source, trainingWithout: fraction)
    validation = ImageSplit(source, heldOut: fraction)
    let summary = try summary { !heldOut.contains($0) }
    variance = summary.moments.variance
    fingerprint = summary.fingerprint.digest
  }
}

/// The result of one pass over all images of a source.
package struct ImageSummary: Sendable {
  /// Of the pixels of the images that are trained on.
  package var moments = PixelMoments()
  /// Of all images, those held out included.
  package var fingerprint = Fingerprint()

  package init() {}
}
