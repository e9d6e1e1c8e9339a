/// `target[r, c] = source[r, c]` for a block of columns: a part of a matrix, or a place in one.
///
/// - Parameters:
///   - source: where the block begins in a matrix of `sourceWidth` columns.
///   - columns: of the block.
///   - target: where it is to begin in a matrix of `targetWidth` columns; the block is overwritten, what
///     lies beside it stays.
package func copyColumns(
  _ source: UnsafePointer<Float>, sourceWidth: Int, rows: Int, columns: Int,
  into target: UnsafeMutablePointer<Float>, targetWidth: Int
) {
  for r in 0..<rows {
    (target + r &* targetWidth).update(from: source + r &* sourceWidth, count: columns)
  }
}
