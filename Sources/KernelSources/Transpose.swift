extension Module {
  /// `result[c, r] = matrix[r, c]`, in blocks that stay in cache.
  static func transpose(
    _ matrix: UnsafePointer<Float>, rows: Int, columns: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    for first in stride(from: 0, to: columns, by: 16) {
      for r in 0..<rows {
        for c in first..<min(first &+ 16, columns) {
          result[c &* rows &+ r] = matrix[r &* columns &+ c]
        }
      }
    }
  }
}
