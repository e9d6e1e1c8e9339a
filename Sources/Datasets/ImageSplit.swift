import Tensors

/// Which part of a data set.
package enum SplitName: String, CaseIterable, Sendable {
  case train, validation, test
}

/// Some of the images of a source, in an order of their own.
package struct ImageSplit: Sendable {
  private let source: any ImageSource
  private let indices: [Int32]

  package init(_ source: any ImageSource, indices: [Int32]) {
    self.source = source
    self.indices = indices
  }

  /// All images of a source.
  package init(_ source: any ImageSource) {
    self.init(source, indices: Array(0..<Int32(source.count)))
  }

  package var count: Int { indices.count }
  package var height: Int { source.height }
  package var width: Int { source.width }

  /// The pixels of the images at some positions of the split, `[n, height, width, 3]`.
  package func pixels(at positions: some Collection<Int>) throws -> [UInt8] {
    try source.pixels(of: positions.map { indices[$0] })
  }

  /// The images at some positions of the split as floats −0.5…0.5.
  ///
  /// - Parameter size: images of the result; those that are missing are zero.
  /// - Returns: `[size, height, width, 3]`.
  package func images(at positions: some Collection<Int>, paddedTo size: Int) throws -> Tensor {
    Tensor(pixels: try pixels(at: positions), padded: [size, height, width, 3])
  }
}

/// What one pass over all images of a source finds.
package struct ImageSummary: Sendable {
  /// Of the pixels of the images that are trained on.
  package var moments = PixelMoments()
  /// Of all images, those held out included.
  package var fingerprint = Fingerprint()

  package init() {}
}

/// The images that are trained on, and those held out of them for validation.
package struct Dataset: Sendable {
  package let train: ImageSplit
  package let validation: ImageSplit
  /// The variance of the training split's pixels, on a scale of 0…1.
  package let variance: Double
  /// Tells whether another data set is the same, byte for byte.
  package let fingerprint: String

  /// Cuts a source in two.
  ///
  /// - Parameters:
  ///   - validation: the fraction held out (see ``ImageSplit/init(_:heldOut:)``).
  ///   - summary: of the source, with the moments of those images for which the closure says true.
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

extension ImageSplit {
  /// The images of a source that are held out for validation, spread evenly over it. They do not depend
  /// on a seed, so runs with different seeds are validated on the same images.
  package init(_ source: any ImageSource, heldOut fraction: Double) {
    let heldOut = HeldOut(count: source.count, fraction: fraction)
    self.init(source) { heldOut.contains($0) }
  }

  /// The images of a source that are not held out.
  package init(_ source: any ImageSource, trainingWithout fraction: Double) {
    let heldOut = HeldOut(count: source.count, fraction: fraction)
    self.init(source) { !heldOut.contains($0) }
  }

  private init(_ source: any ImageSource, where isIncluded: (Int) -> Bool) {
    self.init(source, indices: (0..<Int32(source.count)).filter { isIncluded(Int($0)) })
  }
}

/// Evenly spread numbers out of `0..<count`.
package struct HeldOut {
  let count: Int
  package let chosen: Int

  package init(count: Int, fraction: Double) {
    self.count = count
    chosen = Int((Double(count) * fraction).rounded())
  }

  func contains(_ i: Int) -> Bool {
    count > 0 && (i + 1) * chosen / count > i * chosen / count
  }
}
