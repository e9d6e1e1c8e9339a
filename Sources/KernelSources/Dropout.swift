import KernelTypes

extension DropoutMask {
  /// Elements whose random words are generated at once.
  fileprivate static let blockLength = 64

  /// Drops elements of rows; `result` may be `rows`.
  ///
  /// - Parameters:
  ///   - rows: `[count, width]`.
  ///   - first: the index of the first row. An element's mask depends on its row's index and its place in
  ///     the row.
  func apply(
    to rows: UnsafePointer<Float>, first: Int, count: Int, width: Int,
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

extension Module {
  package static func drop(
    _ mask: DropoutMask, _ rows: UnsafePointer<Float>, first: Int, count: Int, width: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    mask.apply(to: rows, first: first, count: count, width: width, into: result)
  }
}
