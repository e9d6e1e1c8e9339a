import Images
import TestSupport
import Testing

/// Images decoded with Python's zlib and the filters of the PNG specification.
@Suite(
  "PNG files, decoded by another program",
  .enabled(if: hasPython, "there is no python3 to decode a PNG file"))
struct PNGDecodingTests {
  private static let decoder = """
    import struct, sys, zlib

    data = open(sys.argv[1], "rb").read()
    position, packed = 8, b""
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        if kind == b"IDAT":
            packed += body
        position += length + 12
    rows = zlib.decompress(packed)
    stride = 3 * width
    assert len(rows) == height * (stride + 1), len(rows)

    def paeth(a, b, c):
        p = a + b - c
        return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]

    above, pixels = bytes(stride), b""
    for y in range(height):
        kind, *row = rows[y * (stride + 1) : (y + 1) * (stride + 1)]
        for i in range(stride):
            a = row[i - 3] if i >= 3 else 0
            b = above[i]
            c = above[i - 3] if i >= 3 else 0
            row[i] = (row[i] + [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]) % 256
        above = bytes(row)
        pixels += above
    open(sys.argv[2], "wb").write(pixels)
    """

  /// Runs the decoder.
  private func decoded(_ image: RGBImage) throws -> [UInt8] {
    try withTemporaryFolder { folder in
      try image.writePNG(folder + "/a.png")
      try #require(runPython(Self.decoder, folder + "/a.png", folder + "/pixels") != nil)
      return try contents(of: folder + "/pixels")
    }
  }

  @Test("Noise is decoded exactly", arguments: [(1, 1), (3, 5), (33, 70), (128, 1)])
  func noise(height: Int, width: Int) throws {
    let image = ImagesTests.noise(height: height, width: width)
    #expect(try decoded(image) == image.bytes)
  }

  @Test("Smooth ramps, on which PNG filters matter most, are decoded exactly")
  func ramps() throws {
    var bytes: [UInt8] = []
    for y in 0..<40 {
      for x in 0..<60 { bytes += [UInt8(4 * x), UInt8(6 * y), UInt8(x + y)] }
    }
    let image = RGBImage(height: 40, width: 60, bytes: bytes)
    #expect(try decoded(image) == bytes)
  }

  @Test("A magnified grid is decoded exactly")
  func grid() throws {
    let images = (0..<3).map { ImagesTests.noise(height: 8, width: 8, seed: $0) }
    let grid = ImageGrid(originals: images, reconstructions: images).image(magnifiedBy: 3)
    #expect(try decoded(grid) == grid.bytes)
  }
}
