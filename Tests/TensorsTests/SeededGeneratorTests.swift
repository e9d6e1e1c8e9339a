import Tensors
import TestSupport
import Testing

@Suite("The seeded generator") struct SeededGeneratorTests {
  /// From the known-answer tests of Random123, the authors' own library.
  @Test("Philox 4×32-10 gives the known answers")
  func knownAnswers() {
    #expect(
      philox4x32(SIMD4(0, 0, 0, 0), key: SIMD2(0, 0))
        == SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
    let all = UInt32.max
    #expect(
      philox4x32(SIMD4(all, all, all, all), key: SIMD2(all, all))
        == SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
    #expect(
      philox4x32(
        SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344),
        key: SIMD2(0xA409_3822, 0x299F_31D0))
        == SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1))
  }

  /// The first numbers of a stream.
  private func numbers(
    _ count: Int = 4, seed: UInt64 = 3, purpose: RandomPurpose = RandomPurpose(2),
    stream: UInt64 = 5
  ) -> [UInt64] {
    var generator = SeededGenerator(seed: seed, purpose: purpose, stream: stream)
    return (0..<count).map { _ in generator.next() }
  }

  @Test("the same arguments give the same numbers, block after block")
  func reproducible() {
    #expect(numbers(9) == numbers(9))
    // A block has two numbers. The seed is the key; block, purpose and stream are the counter.
    let blocks = (0..<3).map {
      philox4x32(SIMD4($0, UInt32(2), 5, 7), key: SIMD2(3, 9))
    }
    let expected = blocks.flatMap {
      [UInt64($0[1]) << 32 | UInt64($0[0]), UInt64($0[3]) << 32 | UInt64($0[2])]
    }
    #expect(numbers(6, seed: 9 << 32 | 3, stream: 7 << 32 | 5) == expected)
  }

  @Test("another seed, purpose or stream gives other numbers, in both halves of 64 bits")
  func distinctStreams() {
    let variants = [
      numbers(), numbers(seed: 4), numbers(seed: 3 | 1 << 32), numbers(purpose: RandomPurpose(1)),
      numbers(purpose: RandomPurpose(3)), numbers(stream: 6), numbers(stream: 5 | 1 << 32),
    ]
    // Not only do the streams differ, but no single number occurs twice.
    #expect(Set(variants.joined()).count == 7 * 4)
  }

  @Test("a copy continues from the state of the original")
  func copies() {
    var generator = SeededGenerator(test: 1)
    _ = generator.next()
    var copy = generator
    #expect((0..<5).map { _ in generator.next() } == (0..<5).map { _ in copy.next() })
  }

  @Test("the stream of a name is its FNV-1a hash")
  func streamNames() {
    // From the reference vectors of FNV-1a, 64 bits.
    #expect(streamNumber(of: "") == 0xCBF2_9CE4_8422_2325)
    #expect(streamNumber(of: "a") == 0xAF63_DC4C_8601_EC8C)
    #expect(streamNumber(of: "foobar") == 0x8594_4171_F739_67E8)
  }

  @Test("a permutation contains every number once", arguments: [0, 1, 2, 17, 50_000])
  func permutation(count: Int) {
    var generator = SeededGenerator(test: count)
    let order = generator.permutation(count)
    #expect(order.sorted() == (0..<count).map { Int32($0) })
    if count > 16 { #expect(order != order.sorted()) }
  }

  @Test("every number is equally often at every place of a permutation")
  func uniformPermutations() {
    let (size, rounds) = (6, 30_000)
    var generator = SeededGenerator(test: 2)
    var counts = [Int](repeating: 0, count: size * size)
    for _ in 0..<rounds {
      for (place, number) in generator.permutation(size).enumerated() {
        counts[place * size + Int(number)] += 1
      }
    }
    // Binomial with p = 1/6: five standard deviations. A shuffle that swaps with any place, a common mistake,
    // is eighteen off.
    let p = 1 / Double(size)
    let standardDeviation = (Double(rounds) * p * (1 - p)).squareRoot()
    for count in counts {
      #expect(abs(Double(count) - Double(rounds) * p) < 5 * standardDeviation)
    }
  }

  @Test("an index is below its limit and reaches every value", arguments: [1, 2, 7, 1000])
  func indices(limit: Int) {
    var generator = SeededGenerator(test: 3)
    let draws = 20 * limit
    var counts = [Int](repeating: 0, count: limit)
    for _ in 0..<draws * 5 { counts[generator.index(below: limit)] += 1 }
    // 100 draws for each value: the probability that a value is never drawn is e⁻¹⁰⁰.
    #expect(counts.allSatisfy { $0 > 0 })
  }
}
