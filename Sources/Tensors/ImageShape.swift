/// The extents of an image: height and width in pixels, and channels.
package struct ImageShape: Sendable, Hashable, CustomStringConvertible {
  package let height: Int
  package let width: Int
  package let channels: Int

  package init(height: Int, width: Int, channels: Int) {
    precondition(
      height > 0 && width > 0 && channels > 0, "an image of \(height)×\(width)×\(channels)")
    self.height = height
    self.width = width
    self.channels = channels
  }

  /// How many numbers an image has.
  package var count: Int { height * width * channels }

  /// The shape of `n` images, `[n, height, width, channels]`.
  package func shape(images n: Int) -> Shape { [n, height, width, channels] }

  /// Such as `32×32×3`.
  package var description: String { "\(height)×\(width)×\(channels)" }
}
