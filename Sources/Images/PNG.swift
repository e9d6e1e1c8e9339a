import CPNG
import Diagnostics
import Files

/// An image of 8-bit red, green and blue.
package struct RGBImage: Sendable, Equatable {
  package let height: Int
  package let width: Int
  /// `[height, width, 3]`.
  package private(set) var bytes: [UInt8]

  package init(height: Int, width: Int, bytes: [UInt8]) {
    precondition(
      height > 0 && width > 0 && bytes.count == height * width * 3,
      "\(bytes.count) bytes are no \(height)×\(width) image")
    self.height = height
    self.width = width
    self.bytes = bytes
  }

  /// An image of pixels with one channel, which is shown in gray, or three.
  ///
  /// - Parameter pixels: `[height, width, channels]`.
  package init(height: Int, width: Int, channels: Int, pixels: [UInt8]) {
    precondition(channels == 1 || channels == 3, "an image with \(channels) channels has no colors")
    self.init(
      height: height, width: width,
      bytes: channels == 3 ? pixels : pixels.flatMap { [$0, $0, $0] })
  }

  /// An image of one color.
  package init(height: Int, width: Int, gray: UInt8) {
    self.init(
      height: height, width: width, bytes: Array(repeating: gray, count: height * width * 3))
  }

  /// Copies another image to a place inside this one.
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
}

/// PNG files through libpng's simplified API; its classic one reports errors by `longjmp`, which
/// Swift code cannot survive.
extension RGBImage {
  /// Writes a PNG file, whole or not at all.
  package func writePNG(_ path: String) throws {
    let encoded = try pngBytes(for: path)
    try AtomicFile.write(path) { try $0.append(encoded) }
  }

  private func pngBytes(for path: String) throws -> [UInt8] {
    var image = png_image()
    image.version = vqvae_png_image_version
    image.format = vqvae_png_format_rgb
    guard let height = UInt32(exactly: height), let width = UInt32(exactly: width) else {
      throw Problem(.cannotCreate, path, found: "the picture is too large for a PNG file")
    }
    image.height = height
    image.width = width

    // The first call tells the size, the second one writes.
    var size: png_alloc_size_t = 0
    guard png_image_write_to_memory(&image, nil, &size, 0, bytes, 0, nil) != 0 else {
      throw Self.failure(image, path)
    }
    var encoded = [UInt8](repeating: 0, count: Int(size))
    guard png_image_write_to_memory(&image, &encoded, &size, 0, bytes, 0, nil) != 0 else {
      throw Self.failure(image, path)
    }
    return Array(encoded.prefix(Int(size)))
  }

  private static func failure(_ image: png_image, _ path: String) -> Problem {
    let message = withUnsafeBytes(of: image.message) { raw in
      String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
    }
    return Problem(.cannotCreate, path, found: "libpng refuses: \(message)")
  }
}
