/// Exponentials of vectors.
extension Lanes {
  /// `2^self` within 2⁻²² of itself, for elements from −126 to 126. NaN gives any number.
  @inline(__always)
  var exponential2: Lanes {
    // 2ˣ = 2ⁿ·2ᶠ with a whole n and |f| ≤ ½. Added to 1.5·2²³, a number is rounded to a whole one that
    // stands in the last bits of the sum.
    let shift: Float = 0x1.8p23
    let shifted = self + shift
    let fraction = self - (shifted - shift)
    // A minimax fit of 2ᶠ, off by 2e-9 of itself.
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

  /// `1 / (1 + exp(−self))`, within 2⁻²² of itself above −4 and 2⁻¹⁸ below, where the rounding of the
  /// power counts; NaN gives any number.
  @inline(__always)
  var sigmoid: Lanes {
    // Beyond the bounds, where the power would overflow, the result is 1 or below 1e-37.
    let log2e: Float = 1.4426950408889634
    var power = self * -log2e
    power = power.replacing(with: 126, where: power .> 126)
    power = power.replacing(with: -126, where: power .< -126)
    return 1 / (1 + power.exponential2)
  }
}
