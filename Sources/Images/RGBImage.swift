/// An image with 8 bits each of red, green and blue.
package struct RGBImage: Sendable, Equatable {
  package let height: Int
  package let width: Int
  /// `[height, width, 3]`.
  package private(set) var bytes: [UInt8]

  package init(height: Int, width: Int, bytes: [UInt8]) {
    precondition(
      height > 0 && width > 0 && bytes.count == height * width * 3,
      "\(bytes.count) bytes are not a \(height)×\(width) image")
    self.height = height
    self.width = width
    self.bytes = bytes
  }

  /// An image of pixels with three channels, or with one, which is shown in grey.
  ///
  /// - Parameter pixels: `[height, width, channels]`.
  package init(height: Int, width: Int, channels: Int, pixels: [UInt8]) {
    precondition(channels == 1 || channels == 3, "an image with \(channels) channels has no colors")
    self.init(
      height: height, width: width,
      bytes: channels == 3 ? pixels : pixels.flatMap { [$0, $0, $0] })
  }

  /// An image of one gray.
  package init(height: Int, width: Int, gray: UInt8) {
    self.init(
      height: height, width: width, bytes: Array(repeating: gray, count: height * width * 3))
  }

  /// Copies another image into this one, with its top left pixel at (`top`, `left`). It must fit.
  package mutating func draw(_ image: RGBImage, top: Int, left: Int) {
    precondition(
      top >= 0 && left >= 0 && top + image.height <= height && left + image.width <= width,
      "the image does not fit there")
    for row in 0..<image.height {
      let target = ((top + row) * width + left) * 3
      let source = row * image.width * 3
      bytes.replaceSubrange(
        target..<(target + image.width * 3),
        with: image.bytes[source..<(source + image.width * 3)])
    }
  }

  /// The image with every pixel enlarged to a square of `factor` pixels a side.
  func magnified(by factor: Int) -> RGBImage {
    precondition(factor >= 1, "a factor is at least 1")
    if factor == 1 { return self }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count * factor * factor)
    for y in 0..<(height * factor) {
      for x in 0..<(width * factor) {
        let source = ((y / factor) * width + x / factor) * 3
        result += bytes[source..<(source + 3)]
      }
    }
    return RGBImage(height: height * factor, width: width * factor, bytes: result)
  }
}
