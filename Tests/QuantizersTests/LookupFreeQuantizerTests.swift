import Autograd
import Glibc
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

/// The definition, in Double and with the C library's functions: a softmax over all corners of the cube.
private struct NaiveCorners {
  let bits: Int
  let temperature: Double

  func corner(_ code: Int) -> [Double] { (0..<bits).map { (code >> $0) & 1 == 1 ? 1 : -1 } }

  /// p of a vector.
  func probabilities(_ y: [Double]) -> [Double] {
    let scores = (0..<(1 << bits)).map { code in
      -zip(y, corner(code)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / temperature
    }
    let largest = scores.max()!
    let powers = scores.map { exp($0 - largest) }
    let total = powers.reduce(0, +)
    return powers.map { $0 / total }
  }

  static func entropy(_ p: [Double]) -> Double {
    -p.reduce(0) { $0 + ($1 > 0 ? $1 * log($1) : 0) }
  }
}

@Suite("Lookup-free quantization")
struct LookupFreeQuantizerTests {
  private let none = ParameterValues([:])

  private func quantizer(
    _ bits: Int, entropy: Float = 0.1, diversity: Float = 1, temperature: Double = 1,
    decay: Double = 0.9
  ) -> LookupFreeQuantizer {
    LookupFreeQuantizer(
      "q", bits: bits, commitment: 0.25, entropy: entropy, diversity: diversity,
      temperature: temperature, decay: decay)
  }

  /// An average that is not uniform, for `[2^bits]` codes.
  private func average(_ bits: Int) -> Tensor {
    var generator = SeededGenerator(test: 20)
    return Tensor([1 << bits], (0..<(1 << bits)).map { _ in generator.uniform(0, 0.1) })
  }

  private func vectors(_ shape: Shape, seed: Int = 1) -> Tensor {
    var generator = SeededGenerator(test: seed)
    return Tensor(shape, (0..<shape.count).map { _ in generator.normal() })
  }

  private func rows(_ tensor: Tensor) -> [[Double]] {
    let width = tensor.shape.width
    return (0..<tensor.shape.rows).map {
      tensor.elements[($0 * width)..<(($0 + 1) * width)].map(Double.init)
    }
  }

  private func normalized(_ z: [Double]) -> [Double] {
    let root = (z.reduce(0) { $0 + $1 * $1 } / Double(z.count) + 1e-6).squareRoot()
    return z.map { $0 / root }
  }

  // MARK: Codes

  @Test("every code has a corner of its own, whose code it is", arguments: [2, 5, 10, 18])
  func wholeAlphabet(bits: Int) {
    let quantizer = quantizer(bits, entropy: 0)
    #expect(quantizer.alphabet == [1 << bits] && quantizer.dimension == bits)
    let codes = Codes([1, 1 << bits, 1], (0..<Int32(1 << bits)).map(\.self))
    let corners = quantizer.codewords(codes, on: Tape()).value
    #expect(corners.elements.allSatisfy { abs($0) == 1 })
    #expect(quantizer.codes(of: corners, none) == codes)
    let result = quantizer.quantize(
      Tape().leaf(0.3 * corners), in: ShardContext(validCount: 1, batchSize: 1))
    #expect(result.codes == codes && result.output.value.elements == corners.elements)
  }

  @Test("dimension 0 is the lowest bit, 0 counts as −1, and the gradient passes unchanged")
  func signs() throws {
    let tape = Tape()
    let y = tape.leaf(Tensor([3, 3], [0.5, -1, 0, -0.0, 2, 0x1p-149, -1, -1, -1]))
    let (output, codes) = quantizeSigns(y)
    #expect(codes.indices == [1, 6, 0])
    #expect(output.value.elements == [1, -1, -1, -1, 1, 1, -1, -1, -1])
    var generator = SeededGenerator(test: 2)
    let gradient = generator.tensor([3, 3])
    #expect(
      try #require(tape.backward(from: output, gradient: gradient)[y]).elements == gradient.elements
    )
  }

  @Test("the nearest corner is that of the signs")
  func nearest() {
    let z = vectors([200, 4])
    let naive = NaiveCorners(bits: 4, temperature: 1)
    let expected = rows(z).map { z in
      let p = naive.probabilities(normalized(z))
      return Int32(p.indices.max { p[$0] < p[$1] }!)
    }
    #expect(quantizer(4).codes(of: z, none).indices == expected)
  }

  @Test(
    "a vector that is not finite has no code, its output is NaN, and its neighbours have theirs")
  func notFinite() {
    let z = Tensor([4, 1, 1, 2], [.nan, 1, 1, -1, -.infinity, 1, 0x1p127, -0x1p127])
    let quantizer = quantizer(2)
    let tape = Tape(ParameterValues(initial: quantizer.parameters, seed: 1))
    let result = quantizer.quantize(tape.leaf(z), in: ShardContext(validCount: 4, batchSize: 4))
    #expect(result.codes.indices == [Codes.invalid, 1, Codes.invalid, 1])
    #expect(quantizer.codes(of: z, none) == result.codes)
    #expect(
      result.output.value.elements.map(\.isNaN) == [
        true, true, false, false, true, true, false, false,
      ])
    #expect(result.terms.allSatisfy { !$0.value.value.scalar.isFinite })
    // The average stays as it was.
    var state = ModelState(initial: quantizer.parameters, seed: 1)
    quantizer.update(&state, with: result.statistics, step: 1)
    #expect(state.values[quantizer.parameters[0]].sum() == 0)
  }

  // MARK: Terms

  /// The terms of a shard, and the gradient of their weighted sum.
  private func terms(
    _ quantizer: LookupFreeQuantizer, _ z: Tensor, average: Tensor, in shard: ShardContext
  ) throws -> (values: [String: Double], gradient: Tensor, statistics: [Tensor]) {
    let tape = Tape(ParameterValues([quantizer.parameters[0].name: average]))
    let leaf = tape.leaf(z)
    let result = quantizer.quantize(leaf, in: shard)
    #expect(result.terms.map(\.name) == ["commitment", "entropy", "diversity"])
    #expect(
      result.terms.map(\.weight) == [
        0.25, quantizer.entropy, quantizer.entropy * quantizer.diversity,
      ])
    let loss = result.terms.dropFirst().reduce(result.terms[0].weight * result.terms[0].value) {
      $0 + $1.weight * $1.value
    }
    return (
      Dictionary(
        uniqueKeysWithValues: result.terms.map { ($0.name, Double($0.value.value.scalar)) }),
      try #require(tape.backward(from: loss)[leaf]), result.statistics
    )
  }

  static let cases: [(bits: Int, temperature: Double)] = [
    (2, 1), (3, 0.25), (5, 1), (6, 4), (9, 1),
  ]

  @Test("the terms are those of the definition, a softmax over all corners", arguments: cases)
  func definition(bits: Int, temperature: Double) throws {
    let quantizer = quantizer(bits, temperature: temperature)
    let z = vectors([3, 2, 2, bits])
    let average = average(bits)
    let found = try terms(
      quantizer, z, average: average, in: ShardContext(validCount: 2, batchSize: 5))

    let naive = NaiveCorners(bits: bits, temperature: temperature)
    let size = Double(1 << bits)
    let total = average.elements.reduce(0) { $0 + Double($1) }
    let logarithms = average.elements.map { log(0.999 * Double($0) / total + 0.001 / size) }
    // Two images of four vectors count, of a batch of five.
    let all = rows(z).prefix(8).map(normalized)
    let p = all.map(naive.probabilities)
    let commitment = all.joined().reduce(0) { $0 + pow($1 - ($1 > 0 ? 1 : -1), 2) }
    let entropy = p.reduce(0) { $0 + NaiveCorners.entropy($1) }
    let diversity = p.reduce(0) { $0 + zip($1, logarithms).reduce(0) { $0 + $1.0 * $1.1 } }
    for (name, expected) in [
      ("commitment", commitment / Double(20 * bits)), ("entropy", entropy / 20),
      ("diversity", diversity / 20),
    ] {
      // A few roundings of Float, relative to the sum.
      let value = try #require(found.values[name])
      #expect(abs(value / expected - 1) < 2e-6, "\(name): \(value), not \(expected)")
    }
    var mean = [Double](repeating: 0, count: 1 << bits)
    for p in p { for k in mean.indices { mean[k] += p[k] / 20 } }
    expectClose(found.statistics[0], DoubleTensor([1 << bits], mean), tolerance: 2e-6, "mean of p")
  }

  /// Curved, so the step is small, and Float's rounding, 2⁻²⁴ of the sum over the step, is a part of the tolerance.
  @Test("the gradients of both entropies agree with central differences", arguments: cases)
  func centralDifferences(bits: Int, temperature: Double) {
    let attributes = EntropyAttributes(
      BitProbabilities(temperature: temperature), factor: 0.5, validCount: 5)
    let y = vectors([6, bits], seed: 3)
    let weights = LookupFreeQuantizer.logarithms(ofAverage: average(bits))
    checkGradients(of: [y], step: 0x1p-8, tolerance: 2e-3, "entropy") {
      codeEntropy($0[0], attributes)
    }
    checkGradients(of: [y], step: 0x1p-8, tolerance: 2e-3, "expectation") {
      codeExpectation(of: weights, $0[0], attributes).expectation
    }
  }

  /// Stricter than the differences of Float: those of the naive definition in Double.
  @Test("the gradient of the loss is that of the definition", arguments: cases)
  func gradient(bits: Int, temperature: Double) throws {
    let quantizer = quantizer(bits, temperature: temperature)
    let z = vectors([1, 2, 2, bits], seed: 4)
    let average = average(bits)
    let found = try terms(
      quantizer, z, average: average, in: ShardContext(validCount: 1, batchSize: 1)
    ).gradient
    let naive = NaiveCorners(bits: bits, temperature: temperature)
    let total = average.elements.reduce(0) { $0 + Double($1) }
    let logarithms = average.elements.map {
      log(0.999 * Double($0) / total + 0.001 / Double(1 << bits))
    }
    func loss(_ z: [Double]) -> Double {
      let y = normalized(z)
      let p = naive.probabilities(y)
      let commitment = zip(y, z).reduce(0) { $0 + pow($1.0 - ($1.1 > 0 ? 1 : -1), 2) }
      return 0.25 * commitment / Double(4 * bits) + 0.1 * NaiveCorners.entropy(p) / 4
        + 0.1 * zip(p, logarithms).reduce(0) { $0 + $1.0 * $1.1 } / 4
    }
    let expected = rows(z).flatMap { z in
      z.indices.map { i in
        var (above, below) = (z, z)
        above[i] += 1e-5
        below[i] -= 1e-5
        return (loss(above) - loss(below)) / 2e-5
      }
    }
    expectClose(found, DoubleTensor(z.shape.extents, expected), tolerance: 1e-5, "\(bits) bits")
  }

  /// The sums of shards of 8 and of 16 images are the same numbers in another order.
  @Test("the loss does not depend on how a batch is cut, or on a batch being there twice")
  func batches() throws {
    let quantizer = quantizer(5)
    let z = vectors([32, 2, 2, 5], seed: 5)
    let average = average(5)
    func sums(images: Int, _ z: Tensor) throws -> ([String: Double], [Float], Tensor) {
      let (count, size) = (z.shape[0], images * 20)
      var (values, gradients): ([String: Double], [Float]) = ([:], [])
      var statistics = Tensor(zeros: [32])
      for first in stride(from: 0, to: count, by: images) {
        let part = Tensor(
          [images, 2, 2, 5], Array(z.elements[(first * 20)..<(first * 20 + size)]))
        let found = try terms(
          quantizer, part, average: average, in: ShardContext(validCount: images, batchSize: count))
        values.merge(found.values, uniquingKeysWith: +)
        gradients += found.gradient.elements
        statistics += found.statistics[0]
      }
      return (values, gradients, statistics)
    }
    let twice = Tensor([64, 2, 2, 5], z.elements + z.elements)
    let whole = try sums(images: 32, z)
    for (name, found) in try [
      ("shards of 8", sums(images: 8, z)), ("shards of 16", sums(images: 16, z)),
      ("twice", sums(images: 64, twice)),
    ] {
      for (key, value) in whole.0 {
        #expect(abs(try #require(found.0[key]) / value - 1) < 1e-6, "\(name): \(key)")
      }
      expectClose(found.2, whole.2, tolerance: 1e-6, name)
    }
    // A vector's gradient does not depend on its neighbours; of a batch that is there twice it is half.
    #expect(try sums(images: 8, z).1 == whole.1 && sums(images: 16, z).1 == whole.1)
    #expect(try sums(images: 64, twice).1 == (whole.1 + whole.1).map { $0 / 2 })
  }

  @Test("padding adds nothing, and has a gradient of exactly zero")
  func padding() throws {
    let z = vectors([4, 1, 1, 5])
    let shard = ShardContext(validCount: 3, batchSize: 3)
    let found = try terms(quantizer(5), z, average: average(5), in: shard)
    let other = Tensor(z.shape, z.elements.prefix(15) + [9, 9, 9, 9, 9])
    let same = try terms(quantizer(5), other, average: average(5), in: shard)
    #expect(found.values == same.values && found.gradient.elements == same.gradient.elements)
    #expect(found.statistics[0].elements == same.statistics[0].elements)
    #expect(found.gradient.elements.suffix(5).allSatisfy { $0 == 0 })
  }

  @Test("a vector near zero has a finite gradient, and a longer vector the same terms")
  func normalisation() throws {
    let z = Tensor([2, 1, 1, 3], [0, 0, 0, 1e-20, -1e-20, 0])
    let found = try terms(
      quantizer(3), z, average: average(3), in: ShardContext(validCount: 2, batchSize: 2))
    #expect(found.gradient.isFinite && found.gradient.elements.contains { $0 != 0 })
    // A longer vector has the same terms and a gradient at right angles to it.
    let y = vectors([1, 1, 1, 3])
    let shard = ShardContext(validCount: 1, batchSize: 1)
    let (short, long) = try (
      terms(quantizer(3), y, average: average(3), in: shard),
      terms(quantizer(3), 1000 * y, average: average(3), in: shard)
    )
    for (name, value) in short.values {
      #expect(abs(value / long.values[name]! - 1) < 1e-5, "\(name)")
    }
    let along = zip(short.gradient.elements, y.elements).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(along) < 1e-5)
  }

  // MARK: Average

  @Test("the average of the first steps is uniform, then that of the probabilities")
  func average() throws {
    let quantizer = quantizer(3, decay: 0.75)
    let parameter = quantizer.parameters[0]
    var state = ModelState(initial: quantizer.parameters, seed: 1)
    let uniform = LookupFreeQuantizer.logarithms(ofAverage: state.values[parameter]).elements
    #expect(uniform.allSatisfy { abs($0 + Float(log(8.0))) < 1e-6 })

    let first = Tensor([8], [0.5, 0.5, 0, 0, 0, 0, 0, 0])
    quantizer.update(&state, with: [first], step: 1)
    // Corrected for the start at zero: 0.25 of the mean, over a sum of 0.25.
    let once = LookupFreeQuantizer.logarithms(ofAverage: state.values[parameter]).elements
    let expected = [0.999 / 2 + 0.001 / 8, 0.001 / 8].map { Float(log($0)) }
    #expect(abs(once[0] - expected[0]) < 1e-6 && abs(once[7] - expected[1]) < 1e-5)

    quantizer.update(&state, with: [Tensor([8], [0, 0, 0, 0, 0, 0, 0, 1])], step: 2)
    let second = state.values[parameter].elements
    #expect(second == [0.09375, 0.09375, 0, 0, 0, 0, 0, 0.25])
  }

  @Test("without entropies there are neither terms nor an average; without diversity, no average")
  func withoutEntropies() {
    let shard = ShardContext(validCount: 1, batchSize: 1)
    let z = Tape().leaf(vectors([1, 2, 2, 4]))
    let plain = quantizer(4, entropy: 0)
    #expect(plain.quantize(z, in: shard).terms.map(\.name) == ["commitment"])
    #expect(plain.parameters.isEmpty && plain.statisticsShapes.isEmpty)
    let sharp = quantizer(4, diversity: 0)
    #expect(sharp.quantize(z, in: shard).terms.map(\.name) == ["commitment", "entropy"])
    #expect(sharp.parameters.isEmpty && sharp.statisticsShapes.isEmpty)
  }

  @Test("a field that has no effect is a fault")
  func faults() {
    func fault(_ set: (inout LFQKind.Options) -> Void) -> [String]? {
      var options = LFQKind.Options()
      set(&options)
      return LFQKind.fault(in: options)?.fields
    }
    #expect(fault { _ in } == nil)
    #expect(fault { $0.entropy = 0 } == nil)
    #expect(fault { ($0.entropy, $0.diversity) = (0, 2) } == ["diversity", "entropy"])
    #expect(fault { ($0.entropy, $0.temperature) = (0, 2) } == ["temperature", "entropy"])
    #expect(fault { ($0.entropy, $0.entropyDecay) = (0, 0.9) } == ["entropy_decay", "entropy"])
    #expect(fault { $0.diversity = 0 } == nil)
    #expect(fault { ($0.diversity, $0.entropyDecay) = (0, 0.9) } == ["entropy_decay", "diversity"])
    #expect(fault { ($0.diversity, $0.temperature) = (0, 2) } == nil)
  }
}
