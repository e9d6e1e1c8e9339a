/// Dropout (Srivastava et al. 2014): every element is set to zero with the given probability, and
/// the others are multiplied by `1 / (1 − probability)`.
///
/// Whether an element is dropped is a function of the key, the stream and the element's place alone, so the
/// backward pass computes the mask of its forward pass again instead of keeping it. The random words are
/// Philox's, as in `SeededGenerator`; the masks of a stream repeat after 2³⁴ elements.
package struct DropoutMask: Sendable {
  private let key: SIMD2<UInt32>
  /// The upper three words of the counter.
  private let stream: (UInt32, UInt32, UInt32)
  /// A random word below this drops the element.
  private let limit: UInt32
  private let scale: Float

  /// Elements whose random words are generated at once.
  private static let blockLength = 64

  /// - Parameters:
  ///   - probability: at least 0 and below 1.
  ///   - seed, purpose, stream: which random numbers to use; see `SeededGenerator`.
  package init(probability: Double, seed: UInt64, purpose: UInt32, stream: UInt64) {
    key = SIMD2(truncatingIfNeeded: SIMD2(seed, seed >> 32))
    self.stream = (
      purpose, UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)
    )
    limit = UInt32(probability * 0x1p32)
    scale = Float(1 / (1 - probability))
  }

  /// Drops elements of rows; `result` may be `rows`.
  ///
  /// - Parameters:
  ///   - rows: `[count, width]`.
  ///   - first: the index of the first row. An element's mask depends on its row's index and its place in
  ///     the row.
  package func callAsFunction(
    _ rows: UnsafePointer<Float>, first: Int, count: Int, width: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    let blocks = (width &+ Self.blockLength &- 1) / Self.blockLength
    for row in 0..<count {
      for block in 0..<blocks {
        let words = words(block: (first &+ row) &* blocks &+ block)
        let start = block &* Self.blockLength
        for part in 0..<4 {
          let place = start &+ part &* Lanes.scalarCount
          guard place < width else { break }
          let length = min(Lanes.scalarCount, width &- place)
          let x = Lanes(loading: rows + row &* width + place, count: length)
          (scale * x).replacing(with: 0, where: words[part] .< limit)
            .store(result + row &* width + place, count: length)
        }
      }
    }
  }

  /// Computes sixteen Philox blocks at once; word j of block i is in lane i of vector j.
  @inline(__always)
  private func words(block: Int) -> [4 of SIMD16<UInt32>] {
    typealias Words = SIMD16<UInt32>
    var lanes = Words()
    for lane in 0..<16 { lanes[lane] = UInt32(lane) }
    let first = UInt32(truncatingIfNeeded: block &* 16)
    var x: [4 of Words] = [
      lanes &+ first, Words(repeating: stream.0), Words(repeating: stream.1),
      Words(repeating: stream.2),
    ]
    var k = key
    for _ in 0..<10 {
      let (high0, low0) = product(x[0], 0xD251_1F53)
      let (high2, low2) = product(x[2], 0xCD9E_8D57)
      x = [high2 ^ x[1] ^ k[0], low2, high0 ^ x[3] ^ k[1], low0]
      k &+= SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return x
  }

  @inline(__always)
  private func product(
    _ a: SIMD16<UInt32>, _ b: UInt64
  ) -> (high: SIMD16<UInt32>, low: SIMD16<UInt32>) {
    let product = SIMD16<UInt64>(truncatingIfNeeded: a) &* b
    return (
      SIMD16<UInt32>(truncatingIfNeeded: product &>> 32),
      SIMD16<UInt32>(truncatingIfNeeded: product)
    )
  }
}
