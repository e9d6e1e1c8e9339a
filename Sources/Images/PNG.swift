import CPNG
import Diagnostics
import Files

/// PNG files, written with libpng's simplified API. The classic API reports errors with `longjmp`, which must
/// not cross Swift frames.
extension RGBImage {
  /// Writes a PNG file atomically.
  package func writePNG(_ path: String) throws {
    let encoded = try pngBytes(for: path)
    try AtomicFile.write(path) { try $0.append(encoded) }
  }

  private func pngBytes(for path: String) throws -> [UInt8] {
    var image = png_image()
    image.version = vqvae_png_image_version
    image.format = vqvae_png_format_rgb
    guard let height = UInt32(exactly: height), let width = UInt32(exactly: width) else {
      throw Problem(.cannotCreate, path, found: "the image is too large for a PNG file")
    }
    image.height = height
    image.width = width

    // The first call computes the size, the second one encodes.
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
