/// Images in rows and columns.
package struct ImageGrid {
  /// In pixels, around every image.
  static let margin = 2
  static let gray: UInt8 = 32

  private let rows: [[RGBImage]]
  private let gaps: [Int]

  /// A grid of pairs, each original above its reconstruction.
  ///
  /// - Parameter columns: pairs in a row, or nil for a grid that is about square. At most the number of pairs
  ///   and at least 1.
  package init(originals: [RGBImage], reconstructions: [RGBImage], columns: Int? = nil) {
    precondition(
      originals.count == reconstructions.count && !originals.isEmpty,
      "\(originals.count) originals and \(reconstructions.count) reconstructions are not pairs")
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

  /// A pair is twice as high as it is wide, so √(2·pairs) columns make the grid square.
  private static func columns(_ pairs: Int) -> Int {
    Int((2 * Double(pairs)).squareRoot().rounded(.up))
  }

  /// Draws all images on one canvas, each magnified by a whole factor. The margins are not magnified.
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
