/// Pictures in rows and columns.
package struct ImageGrid {
  /// Gray pixels around the pictures.
  static let margin = 2
  static let gray: UInt8 = 32

  private let rows: [[RGBImage]]
  private let gaps: [Int]

  /// Pairs, each original above its reconstruction.
  ///
  /// - Parameter columns: pairs in a row; as many as make the grid about square where nil.
  package init(originals: [RGBImage], reconstructions: [RGBImage], columns: Int? = nil) {
    precondition(
      originals.count == reconstructions.count && !originals.isEmpty,
      "\(originals.count) originals and \(reconstructions.count) reconstructions make no pairs")
    let pairs = originals.count
    let columns = min(pairs, max(1, columns ?? Self.columns(pairs)))
    var rows: [[RGBImage]] = []
    var gaps: [Int] = []
    for first in stride(from: 0, to: pairs, by: columns) {
      let range = first..<min(first + columns, pairs)
      rows += [Array(originals[range]), Array(reconstructions[range])]
      gaps += [first == 0 ? Self.margin : 3 * Self.margin, Self.margin]
    }
    self.rows = rows
    self.gaps = gaps
  }

  /// The grid is twice as high as its columns are wide, so √(2·pairs) columns make it square.
  private static func columns(_ pairs: Int) -> Int {
    Int((2 * Double(pairs)).squareRoot().rounded(.up))
  }

  /// All pictures on one; each is magnified by a whole factor.
  package func image(magnifiedBy factor: Int = 1) -> RGBImage {
    let tile = rows[0][0]
    let columns = rows.map(\.count).max() ?? 0
    var canvas = RGBImage(
      height: gaps.reduce(0, +) + rows.count * tile.height * factor + Self.margin,
      width: columns * (tile.width * factor + Self.margin) + Self.margin, gray: Self.gray)
    var top = 0
    for (row, gap) in zip(rows, gaps) {
      top += gap
      for (column, picture) in row.enumerated() {
        let left = Self.margin + column * (tile.width * factor + Self.margin)
        canvas.draw(picture.magnified(by: factor), top: top, left: left)
      }
      top += tile.height * factor
    }
    return canvas
  }
}

extension RGBImage {
  /// Every pixel becomes a square of `factor` pixels a side.
  func magnified(by factor: Int) -> RGBImage {
    precondition(factor >= 1, "a factor is at least 1")
    if factor == 1 { return self }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count * factor * factor)
    for y in 0..<(height * factor) {
      for x in 0..<(width * factor) {
        let source = ((y / factor) * width + x / factor) * 3
        result += bytes[source..<(source + 3)]
      }
    }
    return RGBImage(height: height * factor, width: width * factor, bytes: result)
  }
}
