/// What random numbers are used for. Each purpose has its own streams, and is declared where it is used.
package struct RandomPurpose: Hashable, Sendable {
  package let number: UInt32

  /// - Parameter number: not that of another purpose. A change changes the numbers, and so the runs.
  package init(_ number: UInt32) { self.number = number }
}

/// Random numbers that are a function of a seed, a purpose and a stream, with no hidden state: the
/// same arguments give the same numbers in any thread, before and after a resumed run.
///
/// A stream repeats after 2³³ numbers.
///
/// Philox 4×32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  private let key: SIMD2<UInt32>
  /// The block's number, the purpose, and the stream's two halves.
  private var counter: SIMD4<UInt32>
  private var block = SIMD4<UInt32>.zero
  /// The number of halves of `block` that have not been returned yet.
  private var remaining = 0

  /// - Parameter stream: which of the purpose's streams: an epoch, an image index or the hash of a name.
  package init(seed: UInt64, purpose: RandomPurpose, stream: UInt64) {
    key = SIMD2(truncatingIfNeeded: SIMD2(seed, seed >> 32))
    counter = SIMD4(
      0, purpose.number, UInt32(truncatingIfNeeded: stream),
      UInt32(truncatingIfNeeded: stream >> 32))
  }

  package mutating func next() -> UInt64 {
    if remaining == 0 {
      block = philox4x32(counter, key: key)
      counter[0] &+= 1
      remaining = 2
    }
    remaining -= 1
    let half = remaining == 1 ? block.lowHalf : block.highHalf
    return UInt64(half[1]) << 32 | UInt64(half[0])
  }

  /// Uniform in `0..<1`, in steps of 2⁻²⁴.
  package mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Uniform in `low...high`; `high` itself can only result from rounding.
  package mutating func uniform(_ low: Float, _ high: Float) -> Float {
    low + (high - low) * uniform()
  }

  /// A sample from the standard normal distribution (Box and Muller 1958).
  package mutating func normal() -> Float {
    // 1 − u lies in (0, 1], so the logarithm is finite.
    let radius = (-2 * naturalLogarithm(1 - Double(next() >> 11) * 0x1p-53)).squareRoot()
    return Float(radius * cosine(turns: Double(next() >> 11) * 0x1p-53))
  }

  /// A sample from the standard normal distribution, truncated at two standard deviations.
  package mutating func truncatedNormal() -> Float {
    while true {
      let x = normal()
      if abs(x) < 2 { return x }
    }
  }

  /// A uniform integer in `0..<limit` (Lemire 2019, without the rejection: the bias is below
  /// `limit / 2⁶⁴`).
  package mutating func index(below limit: Int) -> Int {
    Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(limit)).high)
  }

  /// `0..<count` in random order (Fisher and Yates).
  package mutating func permutation(_ count: Int) -> [Int32] {
    var order = [Int32](0..<Int32(count))
    for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, index(below: i + 1)) }
    return order
  }

  /// `count` of the integers `0..<total` in random order, without repetition.
  package mutating func sample(_ count: Int, of total: Int) -> [Int] {
    precondition(count <= total, "\(count) of \(total) cannot be drawn without repetition")
    var order = [Int32](0..<Int32(total))
    for i in 0..<count { order.swapAt(i, i + index(below: total - i)) }
    return order.prefix(count).map { Int($0) }
  }
}

/// Ten rounds of Philox.
package func philox4x32(_ counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
  var x = counter
  var k = key
  for _ in 0..<10 {
    let first = UInt64(x[0]) * 0xD251_1F53
    let second = UInt64(x[2]) * 0xCD9E_8D57
    x = SIMD4(
      UInt32(second >> 32) ^ x[1] ^ k[0], UInt32(truncatingIfNeeded: second),
      UInt32(first >> 32) ^ x[3] ^ k[1], UInt32(truncatingIfNeeded: first))
    k &+= SIMD2(0x9E37_79B9, 0xBB67_AE85)
  }
  return x
}

/// The number of the random stream of a name: its FNV-1a hash, 64 bits.
package func streamNumber(of name: String) -> UInt64 {
  name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
