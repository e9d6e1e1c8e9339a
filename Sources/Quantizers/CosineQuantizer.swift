import Autograd
import NN
import Options
import Tensors

/// Vectors and codewords on the unit sphere, `cosine` (Yu et al. 2022, "Vector-quantized Image Modeling with
/// Improved VQGAN", section 3.2): a vector's length plays no part, so no codeword is out of reach for being too
/// long or too short.
///
///     codes[n] = argmax over k of ẑ[n]·e[k] = argmin over k of ‖ẑ[n] − e[k]‖²        ẑ = z / ‖z‖, ‖e[k]‖ = 1
///
/// because `‖ẑ − e‖² = 2 − 2·ẑ·e`. The decoder gets the unit codeword. The loss terms are those of the inner
/// quantizer, on unit vectors; their gradient reaches the encoder through the normalization. After every step
/// the codewords are scaled to length 1 again. With a codebook loss inside, that removes the part of a step
/// along the codeword, but Adam's moments have seen it.
///
/// With moving averages, a codeword that was never chosen keeps its place, also with ``UnusedCodeword/origin``:
/// the origin has no direction, and is nearer to a vector than every codeword at more than 60°. One that was
/// chosen before keeps the direction of its average by either rule.
package struct CosineQuantizer: Quantizer {
  package let base: any CodebookQuantizer

  package init(_ base: any CodebookQuantizer) { self.base = base }

  package var parameters: [Parameter] { base.parameters }
  package var alphabet: [Int] { base.alphabet }
  package var dimension: Int { base.dimension }
  package var codebook: Codebook? { base.codebook }
  package var statisticsShapes: [Shape] { base.statisticsShapes }

  package func quantize(_ z: Variable, in shard: ShardContext) -> Quantized {
    base.quantize(
      Self.factor(z.shape) * normalizeRows(z, epsilon: Self.epsilon), in: shard)
  }

  package func codes(of z: Tensor, _ values: ParameterValues) -> Codes {
    base.codes(of: Self.unit(z), values)
  }

  package func codewords(_ codes: Codes, on tape: Tape) -> Variable {
    base.codewords(codes, on: tape)
  }

  package func prepare(
    _ state: inout ModelState, seed: UInt64, sample: (Int) throws -> Tensor
  ) throws {
    try base.prepare(&state, seed: seed) { Self.unit(try sample($0)) }
    project(&state)
  }

  package func update(_ state: inout ModelState, with statistics: [Tensor], step: Int) {
    let parameter = base.vectors.parameter
    let earlier = state.values[parameter]
    base.update(&state, with: statistics, step: step)
    let squares = state.values[parameter].squaredErrors(from: Tensor(zeros: parameter.shape))
    state.values[parameter].setRows { k in squares[k] == 0 ? (earlier, 1) : nil }
    project(&state)
  }

  package func adoptCodebook(_ state: inout ModelState) {
    project(&state)
    base.adoptCodebook(&state)
  }

  // MARK: The sphere

  /// Added to the mean square of a row, so that a row of zeros stays one.
  private static let epsilon = 1e-24

  /// From a root mean square of 1 to a length of 1.
  private static func factor(_ shape: Shape) -> Float { 1 / Float(shape.width).squareRoot() }

  /// Rows of length 1, computed as in ``quantize(_:in:)``.
  private static func unit(_ z: Tensor) -> Tensor {
    factor(z.shape) * z.normalizedRows(epsilon: epsilon).rows
  }

  /// Scales the codewords to length 1.
  private func project(_ state: inout ModelState) {
    let codebook = base.vectors.parameter
    state.values[codebook] = Self.unit(state.values[codebook]).keepingPackedForms()
  }
}

/// ``CosineQuantizer`` in a configuration.
package enum CosineKind: QuantizerKind {
  package struct Options: OuterQuantizerOptions {
    package var inner = InnerOptions()

    package init() {}
  }

  package static let name = "cosine"
  package static let fields: [Field<Options>] = Options.innerFields

  package static func fault(in options: Options) -> FieldFault? { Options.innerFault(in: options) }

  package static func dimension(_ options: Options) -> Int { options.inner.codebook.dimension }

  package static func complete(_ options: inout Options, from defaults: CodebookDefaults) {
    options.inner.complete(from: defaults)
  }

  package static func quantizer(_ name: String, _ options: Options) -> any Quantizer {
    CosineQuantizer(options.inner.quantizer(name))
  }
}
