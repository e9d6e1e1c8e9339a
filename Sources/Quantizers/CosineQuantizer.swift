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
    base.quantize(z.withUnitRows(), in: shard)
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
    state.values[base.vectors.parameter].scaleRowsToUnitLength()
  }

  package func update(_ state: inout ModelState, with statistics: [Tensor], step: Int) {
    let parameter = base.vectors.parameter
    let earlier = state.values[parameter]
    base.update(&state, with: statistics, step: step)
    let squares = state.values[parameter].squaredErrors(from: Tensor(zeros: parameter.shape))
    state.values[parameter].setRows { k in squares[k] == 0 ? (earlier, 1) : nil }
    state.values[parameter].scaleRowsToUnitLength()
  }

  package func adoptCodebook(_ state: inout ModelState) {
    state.values[base.vectors.parameter].scaleRowsToUnitLength()
    base.adoptCodebook(&state)
  }

  private static func unit(_ z: Tensor) -> Tensor {
    var result = z
    result.scaleRowsToUnitLength()
    return result
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
