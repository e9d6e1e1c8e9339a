import Files
import Images
import TestSupport
import Testing

/// An image of pseudorandom bytes, the same in every run.
func noise(height: Int, width: Int, seed: UInt64 = 1) -> RGBImage {
  var state = seed
  let bytes = (0..<(height * width * 3)).map { _ in
    // Knuth's linear congruential generator.
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 56)
  }
  return RGBImage(height: height, width: width, bytes: bytes)
}

extension RGBImage {
  /// The three bytes of a pixel.
  func pixel(_ y: Int, _ x: Int) -> [UInt8] {
    let start = (y * width + x) * 3
    return Array(bytes[start..<(start + 3)])
  }

  /// A crop of the image.
  func part(top: Int, left: Int, height: Int, width: Int) -> RGBImage {
    RGBImage(
      height: height, width: width,
      bytes: (top..<(top + height)).flatMap { y in
        (left..<(left + width)).flatMap { x in pixel(y, x) }
      })
  }
}

/// The chunks of a PNG file, parsed by the specification without libpng.
struct PNGFile {
  struct Chunk {
    let type: String
    let data: [UInt8]
  }

  private(set) var chunks: [Chunk] = []

  /// Parses a file. Expects the signature, complete chunks and correct checksums.
  init(_ path: String) throws {
    let bytes = try contents(of: path)
    try #require(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
    var position = 8
    while position < bytes.count {
      try #require(position + 12 <= bytes.count, "a chunk is truncated")
      let length = bigEndian(bytes[position..<(position + 4)])
      let end = position + 8 + length
      try #require(end + 4 <= bytes.count, "a chunk is truncated")
      #expect(bigEndian(bytes[end..<(end + 4)]) == Int(crc32(bytes[(position + 4)..<end])))
      chunks.append(
        Chunk(
          type: String(decoding: bytes[(position + 4)..<(position + 8)], as: UTF8.self),
          data: Array(bytes[(position + 8)..<end])))
      position = end + 4
    }
  }
}

func bigEndian(_ bytes: some Sequence<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

/// The checksum of PNG chunks (PNG specification, annex D).
private func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
  ~bytes.reduce(~UInt32(0)) { crc, byte in
    (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in
      crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1
    }
  }
}
