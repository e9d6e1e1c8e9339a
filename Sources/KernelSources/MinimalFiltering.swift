/// Winograd's minimal filtering F(4, r): four outputs of a filter of r taps from r + 3 products.
///
///     y = Aᵀ[(G·g) ⊙ (Bᵀ·d)],   y[i] = Σ over k of g[k]·d[i + k]
///
/// (Lavin and Gray 2015, section 4.) In two dimensions the transforms are applied along both axes, so a 3×3
/// filter takes 36 products instead of 144 for sixteen outputs, a 2×2 filter 25 instead of 64. The matrices
/// are those of Toom and Cook for a set of points; their transposes give the gradients.
protocol MinimalFiltering {
  /// `Bᵀ·d`, from `taps + 3` inputs to as many products.
  associatedtype Input: LineTransform
  /// `G·g`, from the taps to the products.
  associatedtype Filter: LineTransform
  /// `Aᵀ·m`, from the products to four outputs.
  associatedtype Output: LineTransform
  /// `A·y`, from the gradients of four outputs to those of the products.
  associatedtype OutputGradient: LineTransform
  /// `Gᵀ·u`, from the gradients of the transformed filter to those of its taps.
  associatedtype FilterGradient: LineTransform
}

extension MinimalFiltering {
  /// r.
  static var taps: Int { Filter.size }
  /// Products of one dimension, r + 3.
  static var points: Int { Filter.newSize }
}

/// Outputs of a tile in one dimension.
let tileExtent = 4

/// A small matrix that is applied to the lines of a tile, sixteen channels side by side.
protocol LineTransform {
  static var size: Int { get }
  static var newSize: Int { get }
  /// Reads each of the `size` elements of a line once, and writes each of the `newSize` elements of another.
  static func apply(_ read: (Int) -> Lanes, _ write: (Int, Lanes) -> Void)
}

/// F(4, 3) for the points 0, 1, −1, ½, −2 and ∞.
///
/// The usual points 0, ±1, ±2 and ∞ need a quarter fewer additions in the transforms of inputs, but half as much
/// error again: relative to the root mean square of the result, for 128 channels, 2.4e-6 instead of 1.6e-6
/// forward and 1.1e-6 instead of 7.2e-7 for filter gradients (im2col: 3.0e-7 and 2.1e-7). A training step takes
/// as long with either.
enum ThreeTaps: MinimalFiltering {
  enum Input: LineTransform {
    static var size: Int { 6 }
    static var newSize: Int { 6 }

    @inline(__always)
    static func apply(_ d: (Int) -> Lanes, _ write: (Int, Lanes) -> Void) {
      let (d0, d1, d2, d3, d4, d5) = (d(0), d(1), d(2), d(3), d(4), d(5))
      let (upper, lower) = (d4 - d2, d3 - d1)
      let (even, odd) = (upper.plus(1.5, times: d3), lower.plus(1.5, times: d2))
      write(0, even + (d0 - d2).plus(-1.5, times: d1))
      write(1, even + odd)
      write(2, even - odd)
      write(3, upper.plus(2, times: lower))
      write(4, upper.plus(-0.5, times: lower))
      write(5, (d5 - d3).plus(1.5, times: d4) - odd)
    }
  }

  enum Filter: LineTransform {
    static var size: Int { 3 }
    static var newSize: Int { 6 }

    @inline(__always)
    static func apply(_ g: (Int) -> Lanes, _ write: (Int, Lanes) -> Void) {
      let (g0, g1, g2) = (g(0), g(1), g(2))
      let third: Float = 1 / 3
      let even = third * (g0 + g2)
      write(0, g0)
      write(1, even.plus(third, times: g1))
      write(2, (third * g1) - even)
      write(3, (-16 / 15) * g0.plus(0.5, times: g1).plus(0.25, times: g2))
      write(4, (1 / 15) * g0.plus(-2, times: g1).plus(4, times: g2))
      write(5, g2)
    }
  }

  enum Output: LineTransform {
    static var size: Int { 6 }
    static var newSize: Int { 4 }

    @inline(__always)
    static func apply(_ m: (Int) -> Lanes, _ write: (Int, Lanes) -> Void) {
      let (m1, m2, m3, m4) = (m(1), m(2), m(3), m(4))
      let (sum, difference) = (m1 + m2, m1 - m2)
      write(0, (m(0) + sum) + (m3 + m4))
      write(1, difference.plus(0.5, times: m3).plus(-2, times: m4))
      write(2, sum.plus(0.25, times: m3).plus(4, times: m4))
      write(3, (difference + m(5)).plus(0.125, times: m3).plus(-8, times: m4))
    }
  }

  enum OutputGradient: LineTransform {
    static var size: Int { 4 }
    static var newSize: Int { 6 }

    @inline(__always)
    static func apply(_ y: (Int) -> Lanes, _ write: (Int, Lanes) -> Void) {
      let (y0, y1, y2, y3) = (y(0), y(1), y(2), y(3))
      let (even, odd) = (y0 + y2, y1 + y3)
      write(0, y0)
      write(1, even + odd)
      write(2, even - odd)
      write(3, y0.plus(0.25, times: y2).plus(0.5, times: y1.plus(0.25, times: y3)))
      write(4, y0.plus(4, times: y2).plus(-2, times: y1.plus(4, times: y3)))
      write(5, y3)
    }
  }

  enum FilterGradient: LineTransform {
    static var size: Int { 6 }
    static var newSize: Int { 3 }

    @inline(__always)
    static func apply(_ u: (Int) -> Lanes, _ write: (Int, Lanes) -> Void) {
      let (u1, u2, u3, u4) = (u(1), u(2), u(3), u(4))
      let third: Float = 1 / 3
      let difference = third * (u1 - u2)
      write(0, (u(0) + difference).plus(-16 / 15, times: u3).plus(1 / 15, times: u4))
      write(1, (third * (u1 + u2)).plus(-8 / 15, times: u3).plus(-2 / 15, times: u4))
      write(2, (u(5) + difference).plus(4 / 15, times: u4 - u3))
    }
  }
}

/// F(4, 2) for the points 0, 1, −1, 2 and ∞.
enum TwoTaps: MinimalFiltering {
  enum Input: LineTransform {
    static var size: Int { 5 }
    static var newSize: Int { 5 }

    @inline(__always)
    static func apply(_ d: (Int) -> Lanes, _ write: (Int, Lanes) -> Void) {
      let (d0, d1, d2, d3, d4) = (d(0), d(1), d(2), d(3), d(4))
      let outer = d3 - d1
      write(0, outer.plus(2, times: d0 - d2))
      write(1, (d3 - d2).plus(-2, times: d1))
      write(2, d3.plus(-3, times: d2).plus(2, times: d1))
      write(3, outer)
      write(4, (d4 - d2).plus(-2, times: outer))
    }
  }

  enum Filter: LineTransform {
    static var size: Int { 2 }
    static var newSize: Int { 5 }

    @inline(__always)
    static func apply(_ g: (Int) -> Lanes, _ write: (Int, Lanes) -> Void) {
      let (g0, g1) = (g(0), g(1))
      write(0, 0.5 * g0)
      write(1, -0.5 * (g0 + g1))
      write(2, (1 / 6) * (g1 - g0))
      write(3, (1 / 6) * g0.plus(2, times: g1))
      write(4, g1)
    }
  }

  enum Output: LineTransform {
    static var size: Int { 5 }
    static var newSize: Int { 4 }

    @inline(__always)
    static func apply(_ m: (Int) -> Lanes, _ write: (Int, Lanes) -> Void) {
      let (m1, m2, m3) = (m(1), m(2), m(3))
      let (sum, difference) = (m1 + m2, m1 - m2)
      write(0, m(0) + sum + m3)
      write(1, difference.plus(2, times: m3))
      write(2, sum.plus(4, times: m3))
      write(3, (difference + m(4)).plus(8, times: m3))
    }
  }

  enum OutputGradient: LineTransform {
    static var size: Int { 4 }
    static var newSize: Int { 5 }

    @inline(__always)
    static func apply(_ y: (Int) -> Lanes, _ write: (Int, Lanes) -> Void) {
      let (y0, y1, y2, y3) = (y(0), y(1), y(2), y(3))
      let (even, odd) = (y0 + y2, y1 + y3)
      write(0, y0)
      write(1, even + odd)
      write(2, even - odd)
      write(3, y0.plus(4, times: y2).plus(2, times: y1.plus(4, times: y3)))
      write(4, y3)
    }
  }

  enum FilterGradient: LineTransform {
    static var size: Int { 5 }
    static var newSize: Int { 2 }

    @inline(__always)
    static func apply(_ u: (Int) -> Lanes, _ write: (Int, Lanes) -> Void) {
      let (u1, u2, u3) = (u(1), u(2), u(3))
      let sixth: Float = 1 / 6
      write(0, (0.5 * (u(0) - u1)).plus(sixth, times: u3 - u2))
      write(1, u(4).plus(-0.5, times: u1).plus(sixth, times: u2.plus(2, times: u3)))
    }
  }
}

extension Lanes {
  /// `self + factor·x`, rounded once.
  @inline(__always)
  fileprivate func plus(_ factor: Float, times x: Lanes) -> Lanes {
    addingProduct(Lanes(repeating: factor), x)
  }
}

/// Applies a transform to both dimensions of a square, column by column and then row by row.
///
/// - Parameter scratch: `newSize · size` vectors.
@inline(__always)
func transformSquare<Transform: LineTransform>(
  by _: Transform.Type, scratch: UnsafeMutablePointer<Lanes>,
  read: (_ i: Int, _ j: Int) -> Lanes, write: (_ i: Int, _ j: Int, Lanes) -> Void
) {
  let size = Transform.size
  for j in 0..<size {
    Transform.apply({ i in read(i, j) }, { i, value in scratch[i &* size &+ j] = value })
  }
  for i in 0..<Transform.newSize {
    Transform.apply({ j in scratch[i &* size &+ j] }, { j, value in write(i, j, value) })
  }
}
