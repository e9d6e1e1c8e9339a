/// The vector type of the loops of this module: one AVX-512 register, or as many of the target's registers
/// as hold sixteen floats.
///
/// Swift keeps the strict order of floating-point operations, so a reduction runs in vector registers only if
/// it is written with lanes.
typealias Lanes = SIMD16<Float>

extension Lanes {
  @inline(__always)
  init(loading pointer: UnsafePointer<Float>) {
    self = UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self)
  }

  @inline(__always)
  func store(_ pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: Lanes.self)
  }

  /// The sixteen floats as two vectors of eight doubles.
  @inline(__always)
  var asDoubles: (SIMD8<Double>, SIMD8<Double>) {
    // Element by element, which compiles to vector instructions: the conversion of the standard library is a generic
    // function of its own.
    var (low, high) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    for i in 0..<8 {
      low[i] = Double(self[i])
      high[i] = Double(self[8 &+ i])
    }
    return (low, high)
  }

  /// Two vectors of eight doubles, rounded.
  @inline(__always)
  init(rounding low: SIMD8<Double>, _ high: SIMD8<Double>) {
    self = .zero
    for i in 0..<8 {
      self[i] = Float(low[i])
      self[8 &+ i] = Float(high[i])
    }
  }

  /// Loads `count` floats into the first lanes; the others are zero.
  @inline(__always)
  init(loading pointer: UnsafePointer<Float>, count: Int) {
    if count == Lanes.scalarCount {
      self.init(loading: pointer)
    } else {
      self = .zero
      for lane in 0..<count { self[lane] = pointer[lane] }
    }
  }

  /// Stores the first `count` elements.
  @inline(__always)
  func store(_ pointer: UnsafeMutablePointer<Float>, count: Int) {
    if count == Lanes.scalarCount {
      store(pointer)
    } else {
      for lane in 0..<count { pointer[lane] = self[lane] }
    }
  }

  /// `max(x, 0)`; NaN stays NaN.
  @inline(__always)
  var relu: Lanes { replacing(with: 0, where: self .< 0) }
}
