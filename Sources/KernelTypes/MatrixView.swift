/// A view of a row-major matrix in memory, possibly transposed.
package struct MatrixView {
  package let base: UnsafePointer<Float>
  /// Rows and columns as stored, before any transposition.
  package let storedRows: Int
  package let storedColumns: Int
  package let isTransposed: Bool
  package let rows: Int
  package let columns: Int

  package init(_ base: UnsafePointer<Float>, rows: Int, columns: Int) {
    self.init(base: base, storedRows: rows, storedColumns: columns, isTransposed: false)
  }

  private init(
    base: UnsafePointer<Float>, storedRows: Int, storedColumns: Int, isTransposed: Bool
  ) {
    self.base = base
    self.storedRows = storedRows
    self.storedColumns = storedColumns
    self.isTransposed = isTransposed
    rows = isTransposed ? storedColumns : storedRows
    columns = isTransposed ? storedRows : storedColumns
  }

  package var transposed: MatrixView {
    MatrixView(
      base: base, storedRows: storedRows, storedColumns: storedColumns,
      isTransposed: !isTransposed)
  }
}
