import Autoencoders
import Autograd
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

/// The two straight-through variants give the same step, up to the rounding of `z + (e − z)`.
@Suite("The straight-through variants")
struct StraightThroughTests {
  @Test(
    "in evaluation both give the reconstruction byte for byte, encoding its codes, and decoding it again"
  )
  func evaluation() throws {
    let function = try SmallModel(.zalando, straightThrough: .function)
    let detach = try SmallModel(.zalando, straightThrough: .detach)
    for batch in 0..<10 {
      let images = function.batch(batch)
      let (a, codesA) = function.model.reconstruct(images, function.values)
      let (b, codesB) = detach.model.reconstruct(images, detach.values)
      #expect(a.elements == b.elements)
      #expect(codesA == codesB)
      #expect(function.model.encode(images, function.values) == codesA)
      #expect(function.model.decode(codesA, function.values).elements == a.elements)
    }
  }

  /// Both subtraction and addition round once, each by at most u = 2⁻²⁴ of its result:
  ///
  ///     d = (e − z)(1 + δ₁)       |δ₁| ≤ u
  ///     s = (z + d)(1 + δ₂)       |δ₂| ≤ u
  ///     |s − e| ≤ u·|e − z| + u·|z + d| ≤ u·(|e − z| + |e| + u·|e − z|)
  ///
  /// The bound is exact rounding analysis, so a hundredth of it must be exceeded somewhere, or the test
  /// would not see the rounding at all.
  @Test("in training the literal expression differs from the codeword only by rounding")
  func rounding() throws {
    let (z, e) = (vectors(1), vectors(2))
    let tape = Tape()
    let output = tape.leaf(z) + (tape.constant(e) - tape.leaf(z)).detach()
    let ratio = largestRatio(literal: output.value, z: z, e: e)
    #expect(ratio <= 1)
    #expect(ratio > 0.01)
  }

  /// The largest difference between `z + (e − z)` and `e`, as a fraction of the bound.
  private func largestRatio(literal: Tensor, z: Tensor, e: Tensor) -> Double {
    let unit = 0x1p-24
    return zip(literal.elements, zip(z.elements, e.elements)).reduce(0) { largest, element in
      let (s, z, e) = (Double(element.0), Double(element.1.0), Double(element.1.1))
      let bound = unit * (abs(e - z) + abs(e) + unit * abs(e - z))
      return max(largest, abs(s - e) / bound)
    }
  }

  @Test("the quantizer's own outputs stay within the same bound, and codes are equal")
  func quantizerOutputs() throws {
    var outputs: [StraightThrough: Tensor] = [:]
    var codes: [StraightThrough: Codes] = [:]
    for variant in StraightThrough.unchanged {
      let quantizer = VectorQuantizer(
        Codebook(
          "quantizer", codewords: 32, dimension: 8, initializer: .normal(standardDeviation: 1),
          role: .trained,
          straightThrough: variant), commitment: 0.25)
      let tape = Tape(ParameterValues(initial: quantizer.parameters, seed: 3))
      let result = quantizer.quantize(
        tape.leaf(vectors(1).reshaped([2, 10, 10, 8])),
        in: ShardContext(validCount: 2, batchSize: 2))
      outputs[variant] = result.output.value
      codes[variant] = result.codes
    }
    #expect(codes[.function] == codes[.detach])
    let exact = try #require(outputs[.function])
    let ratio = largestRatio(
      literal: try #require(outputs[.detach]), z: vectors(1), e: exact)
    #expect(ratio <= 1)
    #expect(ratio > 0.01)
  }

  /// The decoder's input differs by a few 2⁻²⁴, its weights are of order one, and Float's sums add as
  /// much again, so gradients differ by some 1e-6 of their largest element; 1e-5 separates that from
  /// a gradient that is off by one percent.
  private static let gradientBound = 1e-5

  @Test("the gradients of all parameters of a whole model agree")
  func gradients() throws {
    let function = try gradients(.function)
    let detach = try gradients(.detach)
    #expect(function.count == detach.count && !function.isEmpty)
    for (name, gradient) in function {
      expectClose(
        try #require(detach[name]), gradient, tolerance: Self.gradientBound, name)
    }
  }

  /// The same comparison with `z·1.01 + (e − z·1.01).detach()`, whose gradient is one percent too large:
  /// every parameter of the encoder shows it, and the decoder's do not.
  @Test("a straight-through gradient that is off by one percent is detected")
  func sensitivity() throws {
    let exact = try reconstructionGradients(scale: 1)
    let wrong = try reconstructionGradients(scale: 1.01)
    #expect(exact.keys.contains { $0.hasPrefix("encoder.") })
    for (name, gradient) in exact {
      let error = largestError(
        try #require(wrong[name]).elements, gradient.elements.map(Double.init))
      let isSeen = error > Self.gradientBound
      #expect(isSeen == name.hasPrefix("encoder."), "\(name): \(error)")
    }
  }

  private func gradients(_ variant: StraightThrough) throws -> [String: Tensor] {
    let small = try SmallModel(.zalando, straightThrough: variant)
    let tape = Tape(small.values)
    return tape.backward(from: try small.forward(batch: 0, on: tape).loss).byName
  }

  /// The gradients of the reconstruction loss through a quantizer whose straight-through copy is scaled.
  private func reconstructionGradients(scale: Float) throws -> [String: Tensor] {
    let small = try SmallModel(.zalando)
    let tape = Tape(small.values)
    let images = tape.constant(small.batch(0))
    let codewords = small.model.architecture.encode(images) { z, _ in
      let quantizer = small.model.quantizers[0]
      let e = quantizer.codewords(quantizer.codes(of: z.value, small.values), on: tape)
      return scale * z + (e - scale * z).detach()
    }
    let output = small.model.architecture.decode(codewords)
    let loss = squaredError(output, images, factor: 1, rows: 4 * 8 * 8)
    return tape.backward(from: loss).byName
  }

  /// Normal numbers: those of `tensor(_:)` are multiples of 2⁻²³, whose sums are exact.
  private func vectors(_ number: Int) -> Tensor {
    Initializer.normal(standardDeviation: 1).tensor(
      [200, 8], seed: UInt64(number), name: "vectors")
  }
}
