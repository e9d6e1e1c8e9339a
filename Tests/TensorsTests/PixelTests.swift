import Tensors
import TestSupport
import Testing

@Suite("Pixels") struct PixelTests {
  @Test("all 256 bytes survive the conversion to floats and back")
  func roundTrip() {
    let bytes = (0...255).map { UInt8($0) }
    let pixels = Tensor(pixels: bytes, padded: [1, 16, 16, 1])
    #expect(pixels.pixelBytes == bytes)
    #expect(pixels.elements.first == -0.5 && pixels.elements.last == 0.5)
  }

  @Test("a byte b becomes b / 255 − 0.5")
  func scale() {
    let bytes = (0...255).map { UInt8($0) }
    let expected = DoubleTensor([256], bytes.map { Double($0) / 255 - 0.5 })
    // One rounding of a number up to 1, relative to 0.5.
    expectClose(Tensor(pixels: bytes, padded: [256]), expected, tolerance: 0x1p-23)
  }

  @Test("missing images are zero", arguments: [0, 1, 11, 12])
  func padded(count: Int) {
    let bytes = [UInt8](repeating: 255, count: count)
    let pixels = Tensor(pixels: bytes, padded: [4, 1, 1, 3])
    let expected = (0..<12).map { $0 < count ? Float(0.5) : 0 }
    #expect(pixels.elements == expected)
  }

  @Test("a pixel is rounded to the nearest byte, not down")
  func rounding() {
    // A thousandth of a level from the border; the error of the arithmetic in Float is 2e-5 levels.
    for level in 0..<255 {
      let below = Float((Double(level) + 0.499) / 255 - 0.5)
      let above = Float((Double(level) + 0.501) / 255 - 0.5)
      #expect(Tensor([2], [below, above]).pixelBytes == [UInt8(level), UInt8(level + 1)])
    }
    // The only border that Float represents: 127.5 is rounded to even.
    #expect(Tensor(scalar: 0).pixelBytes == [128])
  }

  @Test("pixels outside the range are clamped, and NaN becomes 0")
  func clamping() {
    let pixels: [Float] = [-0.501, -7, -.infinity, 0.501, 0.5021, 7, .infinity, .nan, -.nan, 1e30]
    #expect(Tensor([10], pixels).pixelBytes == [0, 0, 0, 255, 255, 255, 255, 0, 0, 255])
    #expect(Tensor(zeros: [0]).pixelBytes.isEmpty)
  }

  @Test("NaN and infinity at any place of a long row do not change other pixels")
  func poisonedPlaces() {
    for place in 0..<35 {
      for (poison, byte) in [(Float.nan, UInt8(0)), (.infinity, 255), (-.infinity, 0)] {
        var pixels = [Float](repeating: 0.25, count: 35)
        pixels[place] = poison
        var expected = [UInt8](repeating: 191, count: 35)
        expected[place] = byte
        #expect(Tensor([35], pixels).pixelBytes == expected)
      }
    }
  }
}

@Suite("The moments of pixels") struct PixelMomentTests {
  /// 70,000 random bytes: more than the kernel sums at once.
  private var bytes: [UInt8] {
    var generator = SeededGenerator(test: 1)
    return (0..<70_000).map { _ in UInt8(generator.index(below: 256)) }
  }

  @Test("sums are exact")
  func exact() {
    var moments = PixelMoments()
    moments.add(bytes)
    #expect(moments.count == 70_000)
    #expect(moments.sum == bytes.reduce(0) { $0 + UInt64($1) })
    #expect(moments.squares == bytes.reduce(0) { $0 + UInt64($1) * UInt64($1) })
  }

  @Test("sums do not overflow", arguments: [65_535, 65_536, 65_537, 66_052, 200_000])
  func largeCounts(count: Int) {
    var moments = PixelMoments()
    moments.add([UInt8](repeating: 255, count: count))
    #expect(moments.sum == UInt64(count) * 255)
    #expect(moments.squares == UInt64(count) * 255 * 255)
    #expect(moments.variance == 0)
  }

  @Test(
    "the sums do not depend on how the bytes are split", arguments: [1, 7, 3072, 65_536, 69_999])
  func pieces(size: Int) {
    var whole = PixelMoments()
    whole.add(bytes)
    var cut = PixelMoments()
    let bytes = bytes
    for start in stride(from: 0, to: bytes.count, by: size) {
      cut.add(bytes[start..<min(start + size, bytes.count)])
    }
    cut.add([])
    #expect(cut == whole)
  }

  @Test("the variance is that of pixels scaled to 0…1")
  func variance() {
    var ends = PixelMoments()
    #expect(ends.variance == 0)
    ends.add([0, 255])
    #expect(ends.variance == 0.25)

    var moments = PixelMoments()
    moments.add(bytes)
    let pixels = bytes.map { Double($0) / 255 }
    let mean = pixels.reduce(0, +) / Double(pixels.count)
    let expected = pixels.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(pixels.count)
    // The reference accumulates 70,000 roundings of 2⁻⁵³.
    #expect(abs(moments.variance - expected) < 1e-12)
  }
}
