import CRuntime

/// Whether this build has the registers that ``RegisterTile`` is made for: thirty-two of 512 bits.
package let hasWideRegisters = VQVAE_HAS_AVX512 == 1

/// A block of a matrix product that lives in registers while the reduction runs: 8 rows of 32 columns.
///
/// Sixteen vectors of sums, two of `b` and a broadcast element of `a` fit the 32 registers of AVX-512, and
/// sixteen independent sums are enough to hide the latency of its multiply-adds. Convolutions on it were
/// measured at 240 to 255 GFLOP/s a core of Zen 5, OpenBLAS's SkylakeX sgemm at 230 there. Every sum is
/// accumulated in the order of the reduction, wherever the tile is, so a result depends on its row and column
/// alone.
struct RegisterTile {
  private typealias Row = (Lanes, Lanes)

  private var row0: Row
  private var row1: Row
  private var row2: Row
  private var row3: Row
  private var row4: Row
  private var row5: Row
  private var row6: Row
  private var row7: Row

  static let rows = 8
  static let columns = 32

  /// Starts every row with the same 32 numbers, such as a bias, or with zeros if nil.
  @inline(__always)
  init(startingWith start: UnsafePointer<Float>?) {
    let row: Row =
      if let start { (Lanes(loading: start), Lanes(loading: start + 16)) } else { (.zero, .zero) }
    (row0, row1, row2, row3) = (row, row, row, row)
    (row4, row5, row6, row7) = (row, row, row, row)
  }

  /// Continues from stored sums: the first `rows` rows, `stride` floats apart. The other rows start at zero.
  @inline(__always)
  init(loading c: UnsafePointer<Float>, stride: Int, rows: Int = Self.rows) {
    func row(_ r: Int) -> Row {
      r < rows
        ? (Lanes(loading: c + r &* stride), Lanes(loading: c + r &* stride + 16)) : (.zero, .zero)
    }
    (row0, row1, row2, row3) = (row(0), row(1), row(2), row(3))
    (row4, row5, row6, row7) = (row(4), row(5), row(6), row(7))
  }

  /// Adds `Σ over k of a[r, k]·b[k, :]`, with a(r, k) at `a + r·rowStride + k·stepStride` and b(k) at
  /// `b + k·bStride`.
  @inline(__always)
  mutating func accumulate(
    _ a: UnsafePointer<Float>, rowStride: Int, stepStride: Int, _ b: UnsafePointer<Float>,
    bStride: Int, count: Int
  ) {
    var a = a
    var b = b
    for _ in 0..<count {
      let columns: Row = (Lanes(loading: b), Lanes(loading: b + 16))
      Self.add(a[0], columns, to: &row0)
      Self.add(a[rowStride], columns, to: &row1)
      Self.add(a[2 &* rowStride], columns, to: &row2)
      Self.add(a[3 &* rowStride], columns, to: &row3)
      Self.add(a[4 &* rowStride], columns, to: &row4)
      Self.add(a[5 &* rowStride], columns, to: &row5)
      Self.add(a[6 &* rowStride], columns, to: &row6)
      Self.add(a[7 &* rowStride], columns, to: &row7)
      a += stepStride
      b += bStride
    }
  }

  @inline(__always)
  private static func add(_ x: Float, _ columns: Row, to row: inout Row) {
    let x = Lanes(repeating: x)
    row.0 = row.0.addingProduct(x, columns.0)
    row.1 = row.1.addingProduct(x, columns.1)
  }

  /// Adds eight stored rows, `stride` floats apart.
  @inline(__always)
  mutating func add(_ c: UnsafePointer<Float>, stride: Int) {
    func sum(_ row: Row, _ r: Int) -> Row {
      (row.0 + Lanes(loading: c + r &* stride), row.1 + Lanes(loading: c + r &* stride + 16))
    }
    (row0, row1, row2, row3) = (sum(row0, 0), sum(row1, 1), sum(row2, 2), sum(row3, 3))
    (row4, row5, row6, row7) = (sum(row4, 4), sum(row5, 5), sum(row6, 6), sum(row7, 7))
  }

  /// Sets negative elements to zero; NaN stays NaN.
  @inline(__always)
  mutating func relu() {
    func relu(_ row: Row) -> Row { (row.0.relu, row.1.relu) }
    (row0, row1, row2, row3) = (relu(row0), relu(row1), relu(row2), relu(row3))
    (row4, row5, row6, row7) = (relu(row4), relu(row5), relu(row6), relu(row7))
  }

  /// Writes the first `rows` rows, `stride` floats apart.
  @inline(__always)
  func store(_ c: UnsafeMutablePointer<Float>, stride: Int, rows: Int = Self.rows) {
    func store(_ row: Row, _ r: Int) {
      if r < rows {
        row.0.store(c + r &* stride)
        row.1.store(c + r &* stride + 16)
      }
    }
    store(row0, 0)
    store(row1, 1)
    store(row2, 2)
    store(row3, 3)
    store(row4, 4)
    store(row5, 5)
    store(row6, 6)
    store(row7, 7)
  }
}
