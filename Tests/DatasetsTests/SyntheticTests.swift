import Datasets
import Tensors
import Testing

@Suite("Synthetic images")
struct SyntheticTests {
  private let size = 32 * 32 * 3

  private func bytes(seed: UInt64, first: Int = 0, count: Int) throws -> [UInt8] {
    try Synthetic(seed: seed, first: first, count: count).pixels(of: 0..<Int32(count))
  }

  private func images(_ bytes: [UInt8]) -> Set<ArraySlice<UInt8>> {
    Set(stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<($0 + size)] })
  }

  @Test("The same seed gives the same bytes, and another seed different ones")
  func seeds() throws {
    let first = try bytes(seed: 1, count: 20)
    #expect(first.count == 20 * size)
    #expect(try bytes(seed: 1, count: 20) == first)
    for seed in [0, 2, 1 << 32 | 1, .max] as [UInt64] {
      let other = try bytes(seed: seed, count: 20)
      #expect(images(first).isDisjoint(with: images(other)), "seed \(seed)")
    }
  }

  /// Earlier runs can be resumed and compared only as long as the images do not change.
  @Test("Images of 32×32 pixels have not changed since earlier versions")
  func pinned() throws {
    // 64-bit FNV-1a.
    let sum = try bytes(seed: 1, count: 20).reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    #expect(sum == 0x4ebd_ba83_3b19_737f)
  }

  /// Averages of 2×2 pixels of the larger image have 16 samples, the pixels of the smaller one 4.
  @Test("An image shows the same content at every size")
  func sizes() throws {
    let (small, large) = (32, 64)
    let images = try [small, large].map {
      let source = Synthetic(seed: 9, first: 3, count: 10, side: $0)
      #expect(source.image == ImageShape(height: $0, width: $0, channels: 3))
      return try source.pixels(of: 0..<10).map(Double.init)
    }
    var difference = 0.0
    for i in 0..<(10 * small * small * 3) {
      let (image, y, x, c) = (i / 3072, i / 96 % 32, i / 3 % 32, i % 3)
      let four = [(0, 0), (0, 1), (1, 0), (1, 1)].map { dy, dx in
        images[1][((image * large + 2 * y + dy) * large + 2 * x + dx) * 3 + c]
      }
      difference += abs(four.reduce(0, +) / 4 - images[0][i]) / Double(10 * small * small * 3)
    }
    // On the scale of 0 to 255. Different images differ by some 80.
    #expect(difference < 4)
    #expect(difference > 0)
  }

  @Test("Images differ from one another")
  func distinct() throws {
    #expect(images(try bytes(seed: 3, count: 500)).count == 500)
  }

  @Test("Image n does not depend on where a range begins, and different ranges share no images")
  func ranges() throws {
    let all = try bytes(seed: 4, count: 60)
    #expect(try bytes(seed: 4, first: 40, count: 20) == Array(all.suffix(20 * size)))
    let far = try bytes(seed: 4, first: 1 << 31, count: 20)
    #expect(images(all).isDisjoint(with: images(far)))
  }

  @Test("Images can be read in any order")
  func order() throws {
    let source = Synthetic(seed: 5, first: 0, count: 5)
    #expect(source.count == 5)
    #expect(source.image == ImageShape(height: 32, width: 32, channels: 3))
    let all = try source.pixels(of: 0..<5)
    let (first, last) = (Array(all.prefix(size)), Array(all.suffix(size)))
    #expect(try source.pixels(of: [4, 0, 4]) == last + first + last)
    #expect(try source.pixels(of: []) == [])
  }

  @Test("Pixels vary over the set, in every channel, and within nearly every image")
  func variance() throws {
    let count = 500
    let source = Synthetic(seed: 6, first: 0, count: count)
    #expect(source.summary { _ in true }.moments.variance > 0.02)
    let bytes = try source.pixels(of: 0..<Int32(count))
    for channel in 0..<3 {
      let values = stride(from: channel, to: bytes.count, by: 3).map { Double(bytes[$0]) / 255 }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      #expect(variance > 0.02, "channel \(channel)")
      #expect(abs(mean - 0.5) < 0.1, "channel \(channel)")
    }
    let flat = (0..<count).count { Set(bytes[($0 * size)..<(($0 + 1) * size)]).count < 8 }
    #expect(flat < count / 20)
  }

  @Test("Moments are those of the included images only")
  func moments() throws {
    let source = Synthetic(seed: 7, first: 0, count: 9)
    let moments = source.summary { $0 % 2 == 1 }.moments
    let bytes = try source.pixels(of: [1, 3, 5, 7])
    #expect(moments.count == bytes.count)
    #expect(moments.sum == bytes.reduce(0) { $0 + UInt64($1) })
    #expect(moments.squares == bytes.reduce(0) { $0 + UInt64($1) * UInt64($1) })
    #expect(source.summary { _ in false }.moments.count == 0)
  }
}
