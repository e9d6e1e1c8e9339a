extension Lanes {
  /// `2^self` with a relative error below 2⁻²², for elements from −126 to 126. The result for NaN is
  /// unspecified.
  @inline(__always)
  var exponential2: Lanes {
    // 2ˣ = 2ⁿ·2ᶠ with an integer n and |f| ≤ ½. Adding 1.5·2²³ rounds x to the integer n, which is then in
    // the last bits of the sum.
    let shift: Float = 0x1.8p23
    let shifted = self + shift
    let fraction = self - (shifted - shift)
    // A minimax polynomial for 2ᶠ, with a relative error of 2e-9.
    var power = Lanes(repeating: 0.00015474871509722418)
    power = power * fraction + 0.0013400320091107379
    power = power * fraction + 0.009618009287003685
    power = power * fraction + 0.055503276095572235
    power = power * fraction + 0.24022651298142217
    power = power * fraction + 0.6931472063973805
    power = power * fraction + 1
    let bits =
      unsafeBitCast(power, to: SIMD16<UInt32>.self)
      &+ (unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< 23)
    return unsafeBitCast(bits, to: Lanes.self)
  }

  /// `1 / (1 + exp(−self))`, with a relative error below 2⁻²² above −4, and below 2⁻¹⁸ under −4, where the
  /// rounding of the exponent matters. The result for NaN is unspecified.
  @inline(__always)
  var sigmoid: Lanes {
    // Beyond these bounds, where the power of two would overflow, the result is 1 or below 1e-37.
    let log2e: Float = 1.4426950408889634
    var power = self * -log2e
    power = power.replacing(with: 126, where: power .> 126)
    power = power.replacing(with: -126, where: power .< -126)
    return 1 / (1 + power.exponential2)
  }
}
