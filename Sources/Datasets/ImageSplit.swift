import Tensors

/// Some of the images of a source, in a given order.
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

  /// The images of a source that are held out for validation (see ``HeldOut``).
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

  package var count: Int { indices.count }
  package var image: ImageShape { source.image }

  /// The pixels of some images of the split, `[n, H, W, C]`.
  package func pixels(at indices: some Collection<Int>) throws -> [UInt8] {
    try source.pixels(of: indices.map { self.indices[$0] })
  }

  /// Some images of the split as floats −0.5…0.5.
  ///
  /// - Parameter size: how many images the result has; those that are missing are zero.
  /// - Returns: `[size, H, W, C]`.
  package func images(at indices: some Collection<Int>, paddedTo size: Int) throws -> Tensor {
    Tensor(pixels: try pixels(at: indices), padded: image.shape(images: size))
  }
}
