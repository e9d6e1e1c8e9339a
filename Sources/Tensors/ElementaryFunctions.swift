// The C library computes these with other instructions on other processors, and may round differently. Weights and
// learning rates must not depend on that, so here they are in plain IEEE arithmetic.

/// The natural logarithm of a positive normal number, within 2 units in the last place.
package func naturalLogarithm(_ x: Double) -> Double {
  // x = 2ᵉ·m with m in √½…√2, and log m = 2·artanh(s) with s = (m − 1) / (m + 1), |s| < 0.172.
  var (exponent, m) = (Double(x.exponent), x.significand)
  if m > 1.4142135623730951 {
    m /= 2
    exponent += 1
  }
  let s = (m - 1) / (m + 1)
  let square = s * s
  // Σ s²ᵏ / (2k + 1) up to k = 10: the rest is below 2⁻⁵⁸.
  var series = 1.0 / 21
  for k in stride(from: 19, through: 1, by: -2) { series = series * square + 1 / Double(k) }
  return exponent * 0.6931471805599453 + 2 * s * series
}

/// `exp(x)`, within 2 units in the last place; 0 where the result is below the normal numbers, and infinity
/// above 709.
package func exponential(_ x: Double) -> Double {
  guard x > -708 else { return x.isNaN ? x : 0 }
  guard x < 709 else { return .infinity }
  // x = n·log 2 + r with |r| < 0.347. The first part of log 2 has 32 bits, so its product with n is exact.
  let n = (x * 1.4426950408889634).rounded()
  let r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10
  // Taylor series up to r¹³/13!: the next term is below 2⁻⁵⁷.
  var series = 1.0
  for k in stride(from: 13, through: 1, by: -1) { series = 1 + series * r / Double(k) }
  return series * Double(bitPattern: UInt64(Int(n) + 1023) << 52)
}

/// `cos(2π·turns)` for up to 2⁵⁰ turns, within 2⁻⁵² of the exact value.
package func cosine(turns: Double) -> Double {
  // The nearest quarter of a turn; both steps are exact, and the rest is at most an eighth.
  let quarters = (4 * turns).rounded()
  let angle = 2 * Double.pi * (turns - quarters / 4)
  let square = angle * angle
  // Taylor series up to the terms of order 18 and 19, the next of which are below 2⁻⁶⁰.
  var (cosine, sine) = (1.0, 1.0)
  for k in stride(from: 18, through: 2, by: -2) {
    cosine = 1 - cosine * square / Double(k * (k - 1))
    sine = 1 - sine * square / Double(k * (k + 1))
  }
  sine *= angle
  switch Int(quarters) & 3 {
  case 0: return cosine
  case 1: return -sine
  case 2: return -cosine
  default: return sine
  }
}
