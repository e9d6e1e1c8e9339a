extension Module {
  /// `result[i] = tanh(a[i])`, with a relative error below 2⁻²²; NaN stays NaN. `result` may be `a`.
  ///
  /// An element's result depends on its value alone: the last elements, which do not fill a vector, are
  /// computed as part of one.
  package static func tanh(
    _ a: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Float>
  ) {
    for i in stride(from: 0, to: count, by: Lanes.scalarCount) {
      let width = min(Lanes.scalarCount, count &- i)
      hyperbolicTangent(Lanes(loading: a + i, count: width)).store(result + i, count: width)
    }
  }
}

/// For |x| < 0.625 an odd polynomial, which keeps the relative error small where the result is small; else
/// `1 − 2 / (exp(2|x|) + 1)` with the sign of x. The polynomial is a minimax fit with a relative error of
/// 2e-10.
@inline(__always)
private func hyperbolicTangent(_ x: Lanes) -> Lanes {
  let square = x * x
  var tail = Lanes(repeating: 0.002147531472122414)
  tail = tail * square - 0.008182667500727775
  tail = tail * square + 0.02170296429292306
  tail = tail * square - 0.05394720369733595
  tail = tail * square + 0.13333209758605247
  tail = tail * square - 0.33333330906511893
  let near = x * (1 + square * tail)

  // Beyond 10 the result is 1 in Float, and the power of two below would overflow.
  var magnitude = x.replacing(with: -x, where: x .< 0)
  magnitude = magnitude.replacing(with: 10, where: magnitude .> 10)
  // exp(2|x|) = 2^(2·log₂(e)·|x|).
  let positive = 1 - 2 / ((magnitude * 2.8853900817779268).exponential2 + 1)
  let far = positive.replacing(with: -positive, where: x .< 0)

  // NaN compares false, and stays NaN in the polynomial.
  return near.replacing(with: far, where: magnitude .>= 0.625)
}

extension Module {
  /// `gradient[i] · (1 − output[i]²)`: the hyperbolic tangent's gradient, in place.
  package static func tanhBackward(
    _ gradient: UnsafeMutablePointer<Float>, output: UnsafePointer<Float>, count: Int
  ) {
    for i in 0..<count { gradient[i] *= 1 - output[i] * output[i] }
  }
}
