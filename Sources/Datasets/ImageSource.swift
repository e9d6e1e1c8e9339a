import Tensors

/// Numbered images of one shape, as bytes with channels last.
package protocol ImageSource: Sendable {
  var count: Int { get }
  var image: ImageShape { get }

  /// The pixels of some images, `[n, H, W, C]`.
  func pixels(of indices: some Collection<Int32>) throws -> [UInt8]
}
