import Autograd
import NN
import Options
import Tensors

/// The quantizer without a codebook, `fsq`: each component of a vector is bounded and rounded to one of a few
/// levels (Mentzer et al. 2023, "Finite scalar quantization: VQ-VAE made simple", section 3.1 and the listing
/// of appendix A.1).
///
/// It has no parameters, no loss terms and no codeword that can fall out of use; the gradient of the
/// reconstruction alone moves the vectors. ``ScalarLevels`` has the formulas.
package struct FiniteScalarQuantizer: Quantizer {
  package let levels: ScalarLevels

  package init(_ levels: ScalarLevels) { self.levels = levels }

  package var parameters: [Parameter] { [] }
  package var alphabet: [Int] { [levels.codeCount] }
  package var dimension: Int { levels.counts.count }

  package func quantize(_ z: Variable, in _: ShardContext) -> Quantized {
    let (output, codes) = roundToLevels(boundToLevels(z, levels), levels)
    return Quantized(output: output, codes: codes, terms: [])
  }

  package func codes(of z: Tensor, _: ParameterValues) -> Codes {
    levels.codes(of: levels.bound(z).bounded)
  }

  package func codewords(_ codes: Codes, on tape: Tape) -> Variable {
    tape.constant(levels.codewords(codes))
  }
}

/// The levels of each component of a vector.
///
/// With L levels of a component
///
///     h = (L − 1)·(1 + 10⁻³) / 2,   o = ½ if L is even, else 0,   s = artanh(o / h)
///     bound(z) = h·tanh(z + s) − o
///     level    = round(bound(z)), halves to even       −⌊L/2⌋ … ⌈L/2⌉ − 1
///     codeword = level / ⌊L/2⌋                          within −1…1
///     code     = Σ over components of (level + ⌊L/2⌋) · the product of the L of the components before it
///
/// so that bound(0) = 0. The paper's listing has `tan` in place of artanh, with which it is not for an even L, and
/// 1 − 10⁻³, with which o / h is above 1 for L = 2; lucidrains/vector-quantize-pytorch has mended both since its
/// issue 94. Two levels are possible, but their bound has a slope of 10⁻³ at 0, where an encoder starts.
package struct ScalarLevels: Sendable, Equatable {
  /// L of each component, `[D]`.
  package let counts: [Int]
  /// h, o and s of each component.
  private let half: [Float]
  private let offset: [Float]
  private let shift: [Float]

  /// How many levels a component can have. From 1001 on the margin of 10⁻³ would be half a level or more, and
  /// reach beyond the last one.
  package static let range = 2...1000

  package init(_ counts: [Int]) {
    precondition(counts.allSatisfy(Self.range.contains), "\(counts) are not numbers of levels")
    self.counts = counts
    let halves = counts.map { Double($0 - 1) * 1.001 / 2 }
    let offsets = counts.map { $0.isMultiple(of: 2) ? 0.5 : 0 }
    half = halves.map(Float.init)
    offset = offsets.map(Float.init)
    shift = zip(offsets, halves).map { o, h in Float(naturalLogarithm((h + o) / (h - o)) / 2) }
  }

  /// K, the product of the numbers of levels.
  package var codeCount: Int { counts.reduce(1, *) }

  /// The bounded components of vectors `[…, D]`, and the hyperbolic tangents in them.
  ///
  /// Those of an infinite component are NaN. Its bound would be finite, and hide that a run diverges.
  func bound(_ z: Tensor) -> (tangents: Tensor, bounded: Tensor) {
    let tangents = z.mapColumns { i, x in x.isFinite ? x + shift[i] : .nan }.tanh()
    return (tangents, tangents.mapColumns { i, t in half[i] * t - offset[i] })
  }

  /// The gradient of ``bound(_:)``: `gradient · h·(1 − tanh²)`.
  func boundBackward(_ gradient: consuming Tensor, tangents: Tensor) -> Tensor {
    gradient.multiply(byOneMinusSquareOf: tangents)
    return gradient.mapColumns { i, g in half[i] * g }
  }

  /// The codes of bounded vectors `[…, D]`; invalid if a component is NaN.
  func codes(of bounded: Tensor) -> Codes {
    let (levels, width) = (bounded.rounded(), counts.count)
    precondition(bounded.shape.width == width, "\(bounded.shape) are not \(width) components each")
    let indices = levels.withUnsafePointer { levels in
      (0..<bounded.shape.rows).map { n in
        var (code, place) = (0, 1)
        for (i, count) in counts.enumerated() {
          let level = levels[n * width + i]
          if level.isNaN { return Codes.invalid }
          code += place * (Int(level) + count / 2)
          place *= count
        }
        return Int32(code)
      }
    }
    return Codes(Shape(bounded.shape.extents.dropLast()), indices)
  }

  /// The codewords of codes: `[…]` becomes `[…, D]`. That of an invalid code is NaN.
  func codewords(_ codes: Codes) -> Tensor {
    let limit = Int32(codeCount)
    return Tensor(Shape(codes.shape.extents + [counts.count])) { target in
      var component = target
      for code in codes.indices {
        precondition(code >= Codes.invalid && code < limit, "a code lies outside 0..<\(limit)")
        var rest = Int(code)
        for count in counts {
          let (others, digit) = rest.quotientAndRemainder(dividingBy: count)
          let level = Float(digit - count / 2)
          component.pointee = code == Codes.invalid ? .nan : level / Float(count / 2)
          rest = others
          component += 1
        }
      }
    }
  }

  /// The straight-through gradient of rounding: that of the codeword, `gradient / ⌊L/2⌋`.
  func roundBackward(_ gradient: Tensor) -> Tensor {
    gradient.mapColumns { i, g in g / Float(counts[i] / 2) }
  }
}

extension Tensor {
  /// A function of the index and the value of each component of vectors `[…, D]`.
  fileprivate func mapColumns(_ function: (_ column: Int, _ x: Float) -> Float) -> Tensor {
    let width = shape.width
    return Tensor(shape) { target in
      withUnsafePointer { source in
        for first in stride(from: 0, to: count, by: width) {
          for i in 0..<width { target[first + i] = function(i, source[first + i]) }
        }
      }
    }
  }
}

// MARK: Functions

/// `h·tanh(z + s) − o`, the bound of ``ScalarLevels``, of vectors `[…, D]`.
package enum BoundToLevels: Function {
  package typealias Attributes = ScalarLevels
  /// The hyperbolic tangents.
  package typealias Saved = Tensor

  package static func forward(
    _ inputs: Inputs<Tensor>, _ levels: ScalarLevels, _ context: inout Context<Self>
  ) -> Tensor {
    let (tangents, bounded) = levels.bound(inputs[0])
    context.save(tangents)
    return bounded
  }

  package static func backward(
    _ gradient: consuming Tensor, _ levels: ScalarLevels, _ context: Context<Self>
  ) -> [Tensor?] {
    [levels.boundBackward(gradient, tangents: context.saved)]
  }
}

/// ``BoundToLevels`` as a function of a variable.
package func boundToLevels(_ z: Variable, _ levels: ScalarLevels) -> Variable {
  BoundToLevels.apply([z], levels).output
}

/// The codewords of bounded vectors `[…, D]`: rounded, and divided by ⌊L/2⌋.
///
/// Rounding has no useful derivative, so `backward` takes it as the identity (straight-through). The codes are
/// a non-differentiable output, and the codewords are computed from them, so that decoding gives the same bytes.
package enum RoundToLevels: Function {
  package typealias Attributes = ScalarLevels
  package typealias NonDifferentiable = Codes

  package static func forward(
    _ inputs: Inputs<Tensor>, _ levels: ScalarLevels, _ context: inout Context<Self>
  ) -> Tensor {
    let codes = levels.codes(of: inputs[0])
    context.returnNonDifferentiable(codes)
    return levels.codewords(codes)
  }

  package static func backward(
    _ gradient: consuming Tensor, _ levels: ScalarLevels, _: Context<Self>
  ) -> [Tensor?] {
    [levels.roundBackward(gradient)]
  }
}

/// ``RoundToLevels`` as a function of a variable.
package func roundToLevels(
  _ bounded: Variable, _ levels: ScalarLevels
) -> (output: Variable, codes: Codes) {
  let result = RoundToLevels.apply([bounded], levels)
  guard let codes = result.nonDifferentiable else {
    preconditionFailure("RoundToLevels returns codes")
  }
  return (result.output, codes)
}

// MARK: Configuration

/// ``FiniteScalarQuantizer`` in a configuration.
package enum FSQKind: QuantizerKind {
  package struct Options: FieldOptions {
    /// L of each component; their number is D, their product K.
    package var levels = [8, 8, 8]

    package init() {}
  }

  package static let name = "fsq"
  package static let fields: [Field<Options>] = [
    .integers(
      "levels", \.levels, ScalarLevels.range, count: 1...16,
      "levels of each component of a vector, best 5 or more; K is their product")
  ]

  /// As many codes as a codebook can have codewords: each is counted.
  static let maximumCodeCount = 1 << 20

  package static func fault(in options: Options) -> FieldFault? {
    // In Double, because the product of sixteen may not be an Int.
    let codes = options.levels.reduce(1.0) { $0 * Double($1) }
    guard codes > Double(maximumCodeCount) else { return nil }
    return FieldFault(
      ["levels"],
      "expected at most \(maximumCodeCount) codes, the product of the levels, found "
        + "\(FieldValue.integers(options.levels).text)")
  }

  package static func dimension(_ options: Options) -> Int { options.levels.count }

  package static func quantizer(_: String, _ options: Options) -> any Quantizer {
    FiniteScalarQuantizer(ScalarLevels(options.levels))
  }
}
