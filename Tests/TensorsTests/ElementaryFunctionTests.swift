import Glibc
import Tensors
import TestSupport
import Testing

/// The functions of this program that replace the C library's, compared with those, whose error is below one unit in
/// the last place.
@Suite("Elementary functions") struct ElementaryFunctionTests {
  @Test("the logarithm is within 3 units in the last place of the C library's")
  func logarithm() {
    var generator = SeededGenerator(test: 1)
    // Near 1 the result is small, and an error of the exponent's product would be large beside it.
    var inputs = [
      1, 0.5, 2, 1.4142135623730951, 0x1p-53, 0x1p-1022, 0x1p1023, 1 - 0x1p-53, 1 + 0x1p-52,
    ]
    inputs += (0..<20_000).map { _ in Double(generator.next() >> 11) * 0x1p-53 + 0x1p-53 }
    inputs += (0..<2000).map { _ in 1 + Double(generator.uniform(-1, 1)) * 0x1p-10 }
    for x in inputs {
      let (found, expected) = (naturalLogarithm(x), log(x))
      #expect(abs(found - expected) <= 3 * expected.ulp, "log \(x): \(found), not \(expected)")
    }
    #expect(naturalLogarithm(1) == 0)
  }

  @Test("the exponential is within 2 units in the last place of the C library's")
  func exponentials() {
    var generator = SeededGenerator(test: 3)
    var inputs = [0, 1, -1, 0x1p-60, -0x1p-60, 0.34657359027997264, -707.9, 708.9]
    inputs += (0..<20_000).map { _ in Double(generator.uniform(-707, 708)) }
    inputs += (0..<2000).map { _ in Double(generator.uniform(-1, 1)) }
    for x in inputs {
      let (found, expected) = (exponential(x), exp(x))
      #expect(abs(found - expected) <= 2 * expected.ulp, "exp \(x): \(found), not \(expected)")
    }
    #expect(exponential(0) == 1 && exponential(-.infinity) == 0 && exponential(-709) == 0)
    #expect(exponential(.infinity) == .infinity && exponential(710) == .infinity)
    #expect(exponential(.nan).isNaN)
  }

  @Test("the cosine is within 2⁻⁵⁰ of the C library's, and exact at quarters of a turn")
  func cosines() {
    var generator = SeededGenerator(test: 2)
    for _ in 0..<20_000 {
      let turns = Double(generator.next() >> 11) * 0x1p-53
      // The C library gets the rounded product, which is itself off by up to 2⁻⁵¹.
      let expected = cos(2 * .pi * turns)
      let found = cosine(turns: turns)
      #expect(abs(found - expected) <= 0x1p-50, "cos of \(turns) turns: \(found), not \(expected)")
      #expect(cosine(turns: -turns) == found, "the cosine is even")
    }
    #expect([0, 0.25, 0.5, 0.75, 1, 1.25].map { abs(cosine(turns: $0)) } == [1, 0, 1, 0, 1, 0])
    #expect(cosine(turns: 0.5) == -1)
  }
}
