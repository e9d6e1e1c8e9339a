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
    (SIMD8<Double>(lowHalf), SIMD8<Double>(highHalf))
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
