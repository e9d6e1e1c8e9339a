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

/// The images that are trained on, those held out of them, and those of the test.
package struct Dataset: Sendable {
  package let train: ImageSplit
  package let validation: ImageSplit
  /// The variance of the training split's pixels, on a scale of 0…1.
  package let variance: Double

  /// Cuts a source in two.
  ///
  /// - Parameters:
  ///   - validation: the fraction held out, spread evenly over the source. It does not depend on a
  ///     seed, so that runs with different seeds are validated on the same images.
  ///   - moments: of the pixels of those images for which the closure says true.
  package init(
    _ source: some ImageSource, validation fraction: Double,
    moments: (_ isIncluded: (Int) -> Bool) throws -> PixelMoments
  ) throws {
    let heldOut = HeldOut(count: source.count, fraction: fraction)
    let all = 0..<Int32(source.count)
    train = ImageSplit(source, indices: all.filter { !heldOut.contains(Int($0)) })
    validation = ImageSplit(source, indices: all.filter { heldOut.contains(Int($0)) })
    variance = try moments { !heldOut.contains($0) }.variance
  }
}

/// Evenly spread numbers out of `0..<count`.
struct HeldOut {
  let count: Int
  let chosen: Int

  init(count: Int, fraction: Double) {
    self.count = count
    chosen = Int((Double(count) * fraction).rounded())
  }

  func contains(_ i: Int) -> Bool {
    count > 0 && (i + 1) * chosen / count > i * chosen / count
  }
}
