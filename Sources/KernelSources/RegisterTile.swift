/// A block of a matrix product that lives in registers while the reduction runs: 8 rows of 32 columns with AVX-512,
/// 6 rows of 16 columns elsewhere.
///
/// With AVX-512, sixteen vectors of sums, two of `b` and a broadcast element of `a` fit 32 registers; with AVX2,
/// twelve, two and one fit 16; with NEON, twenty-four, four and one fit 32 of 128 bits. That many independent sums hide the latency of the multiply-adds. Convolutions on the
/// wide tile were measured at 240 to 255 GFLOP/s a core of Zen 5, OpenBLAS's SkylakeX sgemm at 230 there.
///
/// Every sum is accumulated in the order of the reduction, wherever the tile is, so a result depends neither on its row
/// and column nor on the shape of the tile: both give the same bits.
struct RegisterTile {
  /// The second vector is used by the wide tile alone.
  private typealias Row = (Lanes, Lanes)

  private var row0: Row
  private var row1: Row
  private var row2: Row
  private var row3: Row
  private var row4: Row
  private var row5: Row
  /// Rows of the wide tile alone.
  private var row6: Row
  private var row7: Row

  static var rows: Int { hasWideRegisters ? 8 : 6 }
  static var columns: Int { hasWideRegisters ? 32 : 16 }

  /// `rows` rounded up to whole tiles.
  static func paddedRows(_ rows: Int) -> Int { (rows &+ Self.rows &- 1) / Self.rows &* Self.rows }

  @inline(__always)
  private static func load(_ pointer: UnsafePointer<Float>) -> Row {
    (Lanes(loading: pointer), hasWideRegisters ? Lanes(loading: pointer + 16) : .zero)
  }

  /// Starts every row with the same numbers, such as a bias, or with zeros if nil.
  @inline(__always)
  init(startingWith start: UnsafePointer<Float>?) {
    let row: Row = if let start { Self.load(start) } else { (.zero, .zero) }
    (row0, row1, row2, row3) = (row, row, row, row)
    (row4, row5, row6, row7) = (row, row, row, row)
  }

  /// Continues from stored sums: the first `rows` rows, `stride` floats apart. The other rows start at zero.
  @inline(__always)
  init(loading c: UnsafePointer<Float>, stride: Int, rows: Int = Self.rows) {
    func row(_ r: Int) -> Row {
      r < rows && r < Self.rows ? Self.load(c + r &* stride) : (.zero, .zero)
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
      let columns = Self.load(b)
      Self.add(a[0], columns, to: &row0)
      Self.add(a[rowStride], columns, to: &row1)
      Self.add(a[2 &* rowStride], columns, to: &row2)
      Self.add(a[3 &* rowStride], columns, to: &row3)
      Self.add(a[4 &* rowStride], columns, to: &row4)
      Self.add(a[5 &* rowStride], columns, to: &row5)
      if hasWideRegisters {
        Self.add(a[6 &* rowStride], columns, to: &row6)
        Self.add(a[7 &* rowStride], columns, to: &row7)
      }
      a += stepStride
      b += bStride
    }
  }

  @inline(__always)
  private static func add(_ x: Float, _ columns: Row, to row: inout Row) {
    let x = Lanes(repeating: x)
    row.0 = row.0.addingProduct(x, columns.0)
    if hasWideRegisters { row.1 = row.1.addingProduct(x, columns.1) }
  }

  /// Adds stored rows, `stride` floats apart.
  @inline(__always)
  mutating func add(_ c: UnsafePointer<Float>, stride: Int) {
    func sum(_ row: Row, _ r: Int) -> Row {
      guard r < Self.rows else { return row }
      let stored = Self.load(c + r &* stride)
      return (row.0 + stored.0, hasWideRegisters ? row.1 + stored.1 : row.1)
    }
    (row0, row1, row2, row3) = (sum(row0, 0), sum(row1, 1), sum(row2, 2), sum(row3, 3))
    (row4, row5, row6, row7) = (sum(row4, 4), sum(row5, 5), sum(row6, 6), sum(row7, 7))
  }

  /// Sets negative elements to zero; NaN stays NaN.
  @inline(__always)
  mutating func relu() {
    func relu(_ row: Row) -> Row { (row.0.relu, hasWideRegisters ? row.1.relu : row.1) }
    (row0, row1, row2, row3) = (relu(row0), relu(row1), relu(row2), relu(row3))
    (row4, row5, row6, row7) = (relu(row4), relu(row5), relu(row6), relu(row7))
  }

  /// Writes the first `rows` rows, `stride` floats apart.
  @inline(__always)
  func store(_ c: UnsafeMutablePointer<Float>, stride: Int, rows: Int = Self.rows) {
    func store(_ row: Row, _ r: Int) {
      guard r < rows, r < Self.rows else { return }
      row.0.store(c + r &* stride)
      if hasWideRegisters { row.1.store(c + r &* stride + 16) }
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
