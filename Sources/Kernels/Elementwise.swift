/// `result[i] = a[i] + b[i]`. `result` may be `a` or `b`.
package func add(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int,
  into result: UnsafeMutablePointer<Float>
) {
  for i in 0..<count { result[i] = a[i] + b[i] }
}

/// `result[i] = a[i] − b[i]`. `result` may be `a` or `b`.
package func subtract(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int,
  into result: UnsafeMutablePointer<Float>
) {
  for i in 0..<count { result[i] = a[i] - b[i] }
}

/// `result[i] = factor·a[i]`. `result` may be `a`.
package func scale(
  _ a: UnsafePointer<Float>, by factor: Float, count: Int,
  into result: UnsafeMutablePointer<Float>
) {
  for i in 0..<count { result[i] = factor * a[i] }
}

/// `result[i] = factor·(a[i] − b[i])`, the gradient of a squared difference.
package func scaledDifference(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, factor: Float, count: Int,
  into result: UnsafeMutablePointer<Float>
) {
  for i in 0..<count { result[i] = factor * (a[i] - b[i]) }
}

/// `result[i] = max(a[i], 0)`, and NaN where `a[i]` is. `result` may be `a`.
package func relu(
  _ a: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Float>
) {
  for i in 0..<count { result[i] = a[i] < 0 ? 0 : a[i] }
}

/// `gradient[i]` where `output[i] > 0`, else 0: ReLU's gradient, in place.
///
/// The output stands for the input: both are positive at the same places.
package func reluBackward(
  _ gradient: UnsafeMutablePointer<Float>, output: UnsafePointer<Float>, count: Int
) {
  for i in 0..<count { gradient[i] = output[i] > 0 ? gradient[i] : 0 }
}

/// `result[i] = tanh(a[i])`, within 2⁻²² of itself, and NaN where `a[i]` is. `result` may be `a`.
///
/// An element's result depends on nothing but its value: the rest that fills no vector is computed as a
/// part of one.
package func tanh(
  _ a: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Float>
) {
  var i = 0
  while i &+ Lanes.scalarCount <= count {
    tanh(Lanes(loading: a + i)).store(result + i)
    i &+= Lanes.scalarCount
  }
  guard i < count else { return }
  var rest = Lanes.zero
  for lane in 0..<(count &- i) { rest[lane] = a[i &+ lane] }
  rest = tanh(rest)
  for lane in 0..<(count &- i) { result[i &+ lane] = rest[lane] }
}

/// Near 0 an odd polynomial, which keeps the relative error small where the result is; else
/// `1 − 2 / (exp(2|x|) + 1)` with the sign of x. The polynomials are minimax fits: the tangent's is off
/// by 2e-10 of itself at |x| < 0.625, the exponential's by 2e-9.
@inline(__always)
private func tanh(_ x: Lanes) -> Lanes {
  let square = x * x
  var tail = Lanes(repeating: 0.002147531472122414)
  tail = tail * square - 0.008182667500727775
  tail = tail * square + 0.02170296429292306
  tail = tail * square - 0.05394720369733595
  tail = tail * square + 0.13333209758605247
  tail = tail * square - 0.33333330906511893
  let near = x + x * (square * tail)

  // Beyond 10 the result is 1 in Float, and the power of two below would overflow.
  var magnitude = x.replacing(with: -x, where: x .< 0)
  magnitude = magnitude.replacing(with: 10, where: magnitude .> 10)
  // exp(2|x|) = 2ⁿ·2ᶠ with a whole n and |f| ≤ ½. Added to 1.5·2²³, a number is rounded to a whole one
  // that stands in the last bits of the sum.
  let shift: Float = 0x1.8p23
  let power = magnitude * 2.8853900817779268
  let shifted = power + shift
  let fraction = power - (shifted - shift)
  var exponential = Lanes(repeating: 0.00015474871509722418)
  exponential = exponential * fraction + 0.0013400320091107379
  exponential = exponential * fraction + 0.009618009287003685
  exponential = exponential * fraction + 0.055503276095572235
  exponential = exponential * fraction + 0.24022651298142217
  exponential = exponential * fraction + 0.6931472063973805
  exponential = exponential * fraction + 1
  let bits =
    unsafeBitCast(exponential, to: SIMD16<UInt32>.self)
    &+ (unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< 23)
  let positive = 1 - 2 / (unsafeBitCast(bits, to: Lanes.self) + 1)
  let far = positive.replacing(with: -positive, where: x .< 0)

  // NaN compares false, and stays NaN in the polynomial.
  return near.replacing(with: far, where: magnitude .>= 0.625)
}

/// `gradient[i] · (1 − output[i]²)`: the hyperbolic tangent's gradient, in place.
package func tanhBackward(
  _ gradient: UnsafeMutablePointer<Float>, output: UnsafePointer<Float>, count: Int
) {
  for i in 0..<count { gradient[i] *= 1 - output[i] * output[i] }
}

/// `result[i]` = the integer nearest to `a[i]`, halves to even. `result` may be `a`.
package func round(
  _ a: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Float>
) {
  for i in 0..<count { result[i] = a[i].rounded(.toNearestOrEven) }
}

/// Sets every row of `matrix` to `row`.
///
/// - Parameters:
///   - row: `[columns]`.
///   - matrix: `[rows, columns]`.
package func broadcastRow(
  _ row: UnsafePointer<Float>, rows: Int, columns: Int, into matrix: UnsafeMutablePointer<Float>
) {
  for r in 0..<rows { (matrix + r &* columns).update(from: row, count: columns) }
}

/// Turns bytes 0…255 into floats −0.5…0.5: `result[i] = bytes[i] / 255 − 0.5`.
package func pixelsFromBytes(
  _ bytes: UnsafePointer<UInt8>, count: Int, into result: UnsafeMutablePointer<Float>
) {
  for i in 0..<count { result[i] = Float(bytes[i]) / 255 - 0.5 }
}

/// Turns floats −0.5…0.5 into bytes 0…255: rounded to the nearest, cut off at the ends, NaN as 0.
package func bytesFromPixels(
  _ pixels: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<UInt8>
) {
  for i in 0..<count {
    let value = ((pixels[i] + 0.5) * 255).rounded(.toNearestOrEven)
    result[i] = value > 0 ? UInt8(min(value, 255)) : 0
  }
}

/// `result[i] = a[i]` cut off at `low` and `high`. `result` may be `a`.
package func clamp(
  _ a: UnsafePointer<Float>, low: Float, high: Float, count: Int,
  into result: UnsafeMutablePointer<Float>
) {
  for i in 0..<count { result[i] = a[i] < low ? low : (a[i] > high ? high : a[i]) }
}
