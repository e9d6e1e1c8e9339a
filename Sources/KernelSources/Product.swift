import KernelTypes

#if KERNELS_OPENBLAS
  import BLAS
#endif

// The general matrix product. The fast modules compute it on register tiles, in the order of the reduction, so that a
// result depends neither on the module nor on the other rows; the OpenBLAS module calls sgemm.

/// Whether an element of a product depends on its row and column alone. OpenBLAS may round a row differently for
/// another number of rows or another place among them (its Haswell kernel treats rows 6 to 11 of every twelve unlike
/// rows 0 to 5).
let productRowsAreIndependent = !usesOpenBLAS

extension Module {
  package static func productWorkspaceCount(inner: Int) -> Int {
    usesOpenBLAS
      ? 0
      : (RegisterTile.rows &+ RegisterTile.columns) &* inner
        &+ RegisterTile.rows &* RegisterTile.columns
  }

  package static func product(
    _ a: MatrixView, _ b: MatrixView, factor: Float, into result: UnsafeMutablePointer<Float>,
    stride resultStride: Int, adds: Bool, workspace: UnsafeMutablePointer<Float>
  ) {
    #if KERNELS_OPENBLAS
      gemm(a, b, into: result, resultStride: resultStride, alpha: factor, beta: adds ? 1 : 0)
    #else
      let panel = workspace
      let rest = workspace + a.columns &* RegisterTile.columns
      for column in stride(from: 0, to: b.columns, by: RegisterTile.columns) {
        let width = min(RegisterTile.columns, b.columns &- column)
        pack(b, from: column, width: width, factor: factor, into: panel)
        for row in stride(from: 0, to: a.rows, by: RegisterTile.rows) {
          multiply(
            a, row: row, panel, width: width, into: result + row &* resultStride + column,
            stride: resultStride, adds: adds, workspace: rest)
        }
      }
    #endif
  }

  /// Computes the rows of a tile from `row` on, as far as there are any, for `width` columns.
  ///
  /// - Parameter workspace: a copy of the rows, and a tile.
  private static func multiply(
    _ a: MatrixView, row: Int, _ panel: UnsafePointer<Float>, width: Int,
    into result: UnsafeMutablePointer<Float>, stride: Int, adds: Bool,
    workspace: UnsafeMutablePointer<Float>
  ) {
    let rows = min(RegisterTile.rows, a.rows &- row)
    let isWhole = rows == RegisterTile.rows && width == RegisterTile.columns
    let spare = workspace + RegisterTile.rows &* a.columns
    var tile = RegisterTile(startingWith: nil)
    if adds {
      if isWhole {
        tile = RegisterTile(loading: result, stride: stride)
      } else {
        for r in 0..<rows {
          (spare + r &* RegisterTile.columns).update(from: result + r &* stride, count: width)
        }
        tile = RegisterTile(loading: spare, stride: RegisterTile.columns)
      }
    }
    var source = a.element(row, 0)
    var (rowStride, stepStride) = (a.rowStride, a.columnStride)
    if rows < RegisterTile.rows {
      // A whole tile is read: the missing rows are any numbers, as their sums are not used.
      for r in 0..<RegisterTile.rows {
        let line = a.element(row &+ min(r, rows &- 1), 0)
        for k in 0..<a.columns { workspace[r &* a.columns &+ k] = line[k &* a.columnStride] }
      }
      (source, rowStride, stepStride) = (UnsafePointer(workspace), a.columns, 1)
    }
    tile.accumulate(
      source, rowStride: rowStride, stepStride: stepStride, panel, bStride: RegisterTile.columns,
      count: a.columns)
    if isWhole {
      tile.store(result, stride: stride)
    } else {
      tile.store(spare, stride: RegisterTile.columns)
      for r in 0..<rows {
        (result + r &* stride).update(from: spare + r &* RegisterTile.columns, count: width)
      }
    }
  }

  /// Copies columns of `b`, multiplied by `factor`, to a panel of a tile's columns, `[inner, columns]`; the missing
  /// ones are zero.
  private static func pack(
    _ b: MatrixView, from column: Int, width: Int, factor: Float,
    into panel: UnsafeMutablePointer<Float>
  ) {
    for k in 0..<b.rows {
      let (source, target) = (b.element(k, column), panel + k &* RegisterTile.columns)
      for c in 0..<width { target[c] = factor * source[c &* b.columnStride] }
      (target + width).update(repeating: 0, count: RegisterTile.columns &- width)
    }
  }
}

extension MatrixView {
  fileprivate var rowStride: Int { isTransposed ? 1 : storedColumns }
  fileprivate var columnStride: Int { isTransposed ? storedColumns : 1 }

  @inline(__always)
  fileprivate func element(_ row: Int, _ column: Int) -> UnsafePointer<Float> {
    base + row &* rowStride + column &* columnStride
  }
}
