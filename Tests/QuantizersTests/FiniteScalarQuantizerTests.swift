import Autograd
import Glibc
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

/// The formulas of Mentzer et al. for one component, in Double and with the C library's functions.
private struct NaiveLevels {
  let count: Int

  private var half: Double { Double(count - 1) * 1.001 / 2 }
  private var offset: Double { count % 2 == 0 ? 0.5 : 0 }
  private var shift: Double { atanh(offset / half) }
  var width: Int { count / 2 }

  func bound(_ z: Double) -> Double { half * tanh(z + shift) - offset }
  /// The z whose bound is a level, where there is one.
  func inverse(_ level: Double) -> Double { atanh((level + offset) / half) - shift }
  /// The derivative of the bound.
  func slope(_ z: Double) -> Double { half / (cosh(z + shift) * cosh(z + shift)) }
}

@Suite("Finite scalar quantization")
struct FiniteScalarQuantizerTests {
  static let alphabets = [[8, 5, 5, 5], [3], [2, 2], [8, 8, 8]]

  private let none = ParameterValues([:])
  private let shard = ShardContext(validCount: 1, batchSize: 1)

  private func quantizer(_ counts: [Int]) -> FiniteScalarQuantizer {
    FiniteScalarQuantizer(ScalarLevels(counts))
  }

  /// Vectors of normal numbers, `[1, rows, 1, D]`, whose bounds are at least 1e-3 away from the middle of two
  /// levels: Float's error is below 1e-4 for up to a hundred levels.
  private func clearVectors(_ counts: [Int], rows: Int, seed: Int) -> Tensor {
    var generator = SeededGenerator(test: seed)
    let elements = (0..<rows).flatMap { _ in
      counts.map { count in
        while true {
          let z = 1.5 * generator.normal()
          let bound = NaiveLevels(count: count).bound(Double(z))
          if abs(abs(bound - bound.rounded()) - 0.5) > 1e-3 { return z }
        }
      }
    }
    return Tensor([1, rows, 1, counts.count], elements)
  }

  @Test(
    "output and codes are those of the definition",
    arguments: alphabets + [[4, 7, 16, 3, 2, 6], [100, 101]])
  func definition(counts: [Int]) {
    let quantizer = quantizer(counts)
    let z = clearVectors(counts, rows: 300, seed: 1)
    let tape = Tape()
    let result = quantizer.quantize(tape.leaf(z), in: shard)
    var (codes, outputs): ([Int32], [Float]) = ([], [])
    for row in 0..<300 {
      var (code, place) = (0, 1)
      for (i, count) in counts.enumerated() {
        let levels = NaiveLevels(count: count)
        let level = levels.bound(Double(z.elements[row * counts.count + i])).rounded()
        outputs.append(Float(level / Double(levels.width)))
        code += place * (Int(level) + levels.width)
        place *= count
      }
      codes.append(Int32(code))
    }
    #expect(result.codes == Codes([1, 300, 1], codes))
    // A quotient of small integers, rounded once.
    #expect(result.output.value.elements == outputs)
    #expect(quantizer.codes(of: z, none) == result.codes)
    #expect(quantizer.alphabet == [counts.reduce(1, *)] && quantizer.dimension == counts.count)
  }

  @Test("the code of zeros is the middle, whatever the numbers of levels are")
  func zero() {
    for counts in Self.alphabets {
      let result = quantizer(counts).quantize(
        Tape().leaf(Tensor(zeros: [1, 1, 1, counts.count])), in: shard)
      #expect(result.output.value.elements.allSatisfy { $0 == 0 })
    }
  }

  @Test("the first level is the least significant digit of the code")
  func digits() {
    let tape = Tape()
    let codewords = quantizer([3, 4]).codewords(Codes([4], [0, 1, 3, 11]), on: tape).value
    #expect(codewords.elements == [-1, -1, 0, -1, -1, -0.5, 1, 0.5])
  }

  @Test("every code has a codeword of its own within −1…1, whose code it is", arguments: alphabets)
  func wholeAlphabet(counts: [Int]) {
    let quantizer = quantizer(counts)
    let size = quantizer.alphabet[0]
    let codes = Codes([1, size, 1], (0..<Int32(size)).map(\.self))
    let codewords = quantizer.codewords(codes, on: Tape()).value
    #expect(codewords.elements.allSatisfy { abs($0) <= 1 })
    let rows = (0..<size).map {
      Array(codewords.elements[($0 * counts.count)..<(($0 + 1) * counts.count)])
    }
    #expect(Set(rows).count == size)

    // Vectors whose bounds are the levels. The margin of 1e-3 puts the outer ones within the range of the bound.
    let z = Tensor(
      codewords.shape,
      codewords.elements.enumerated().map { i, x in
        let levels = NaiveLevels(count: counts[i % counts.count])
        return Float(levels.inverse(Double(x * Float(levels.width)).rounded()))
      })
    let result = quantizer.quantize(Tape().leaf(z), in: shard)
    #expect(result.codes == codes)
    #expect(quantizer.codes(of: z, none) == codes)
    #expect(result.output.value.elements == codewords.elements)
  }

  /// With more levels than allowed, the margin of the bound would reach beyond the last one.
  @Test("codes are in range for every number of levels, however large a vector is")
  func inRange() {
    for count in ScalarLevels.range {
      let quantizer = quantizer([count])
      let z = Tensor([4, 1], [-.greatestFiniteMagnitude, -20, 20, .greatestFiniteMagnitude])
      let last = Int32(count - 1)
      #expect(quantizer.codes(of: z, none).indices == [0, 0, last, last], "\(count) levels")
    }
  }

  @Test(
    "the gradient is the bound's, over half the levels", arguments: alphabets)
  func gradient(counts: [Int]) throws {
    let tape = Tape()
    let z = tape.leaf(clearVectors(counts, rows: 40, seed: 2))
    let output = quantizer(counts).quantize(z, in: shard).output
    var generator = SeededGenerator(test: 3)
    let gradient = generator.tensor(z.shape)
    let expected = zip(z.value.elements, gradient.elements).enumerated().map { i, pair in
      let levels = NaiveLevels(count: counts[i % counts.count])
      return Double(pair.1) * levels.slope(Double(pair.0)) / Double(levels.width)
    }
    // 1 − tanh² loses digits where tanh is near 1, which is where the gradient is small.
    expectClose(
      try #require(tape.backward(from: output, gradient: gradient)[z]),
      DoubleTensor(z.shape.extents, expected), tolerance: 2e-6, "\(counts)")
  }

  /// Curved, so the difference is taken over a small step: its error is at most a sixth of its square times the
  /// third derivative, 2e-5 of the slope, beside the rounding of Float, 2⁻²⁴ over the step.
  @Test("the gradient of the bound agrees with central differences", arguments: alphabets)
  func centralDifferences(counts: [Int]) {
    var generator = SeededGenerator(test: 4)
    checkGradients(
      of: [generator.tensor([6, counts.count])], step: 0x1p-7, tolerance: 1e-3, "\(counts)"
    ) { boundToLevels($0[0], ScalarLevels(counts)) }
  }

  @Test(
    "a vector that is not finite has no code, its output is NaN, and its neighbours have theirs")
  func notFinite() {
    let quantizer = quantizer([5, 4])
    let z = Tensor([4, 2], [.nan, 0, 0.5, 0.5, 1, -.infinity, 0, .infinity])
    let tape = Tape()
    let result = quantizer.quantize(tape.leaf(z.reshaped([4, 1, 1, 2])), in: shard)
    let valid = quantizer.codes(of: Tensor([1, 2], [0.5, 0.5]), none).indices[0]
    #expect(
      result.codes.indices == [Codes.invalid, valid, Codes.invalid, Codes.invalid])
    #expect(quantizer.codes(of: z, none).indices == result.codes.indices)
    #expect(
      result.output.value.elements.map(\.isNaN) == [
        true, true, false, false, true, true, true, true,
      ])
  }

  @Test("there are no parameters, no loss terms and no statistics")
  func nothingElse() {
    let quantizer = quantizer([8, 8])
    let result = quantizer.quantize(Tape().leaf(Tensor(zeros: [1, 2, 2, 2])), in: shard)
    #expect(quantizer.parameters.isEmpty && quantizer.codebook == nil)
    #expect(result.terms.isEmpty && result.statistics.isEmpty)
    #expect(quantizer.statisticsShapes.isEmpty)
  }

  @Test(
    "as many codes as a codebook can have, and no more",
    arguments: [
      ([8, 8, 8], true), ([1000, 1000], true), ([1000, 1000, 2], false), ([2], true),
      (Array(repeating: 2, count: 16), true), (Array(repeating: 1000, count: 16), false),
    ])
  func tooMany(counts: [Int], isValid: Bool) {
    var options = FSQKind.Options()
    options.levels = counts
    #expect((FSQKind.fault(in: options) == nil) == isValid)
  }
}
