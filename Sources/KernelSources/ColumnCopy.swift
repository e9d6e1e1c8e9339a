extension Module {
  /// `target[r, c] = source[r, c]` for a block of columns that is part of a wider matrix on either side.
  ///
  /// - Parameters:
  ///   - source: the first element of the block in a matrix of `sourceWidth` columns.
  ///   - columns: the width of the block.
  ///   - target: the first element of the block in a matrix of `targetWidth` columns. The block is overwritten,
  ///     the other columns are unchanged.
  package static func copyColumns(
    _ source: UnsafePointer<Float>, sourceWidth: Int, rows: Int, columns: Int,
    into target: UnsafeMutablePointer<Float>, targetWidth: Int
  ) {
    for r in 0..<rows {
      (target + r &* targetWidth).update(from: source + r &* sourceWidth, count: columns)
    }
  }
}
