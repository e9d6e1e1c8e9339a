import Images
import Testing

@Suite("ImageGrid")
struct ImageGridTests {
  private let height = 5
  private let width = 7
  private let margin = 2
  private let gray: UInt8 = 32

  private func pairs(_ count: Int) -> (originals: [RGBImage], reconstructions: [RGBImage]) {
    let pictures = (0..<(2 * count)).map {
      noise(height: height, width: width, seed: UInt64($0) + 10)
    }
    return (Array(pictures[..<count]), Array(pictures[count...]))
  }

  /// Checks every pixel of a grid: pairs in rows, each original above its reconstruction, one margin around
  /// every image, and three margins between rows of pairs.
  private func expectGrid(
    pairs count: Int, columns: Int, in grid: RGBImage, factor: Int,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let (originals, reconstructions) = pairs(count)
    let rows = (count + columns - 1) / columns
    let tile = (height: height * factor, width: width * factor)
    let rowHeight = 2 * tile.height + margin
    let expectedHeight = margin + rows * rowHeight + (rows - 1) * 3 * margin + margin
    let expectedWidth = columns * (tile.width + margin) + margin
    #expect(grid.height == expectedHeight, sourceLocation: sourceLocation)
    #expect(grid.width == expectedWidth, sourceLocation: sourceLocation)
    guard grid.height == expectedHeight, grid.width == expectedWidth else { return }

    var covered = Array(repeating: false, count: grid.height * grid.width)
    for pair in 0..<count {
      let left = margin + pair % columns * (tile.width + margin)
      let top = margin + pair / columns * (rowHeight + 3 * margin)
      for (picture, top) in [
        (originals[pair], top), (reconstructions[pair], top + tile.height + margin),
      ] {
        let part = grid.part(top: top, left: left, height: tile.height, width: tile.width)
        let matches = (0..<tile.height).allSatisfy { y in
          (0..<tile.width).allSatisfy { x in
            part.pixel(y, x) == picture.pixel(y / factor, x / factor)
          }
        }
        #expect(matches, "pair \(pair)", sourceLocation: sourceLocation)
        for y in top..<(top + tile.height) {
          for x in left..<(left + tile.width) { covered[y * grid.width + x] = true }
        }
      }
    }
    let background = (0..<grid.height).allSatisfy { y in
      (0..<grid.width).allSatisfy { x in
        covered[y * grid.width + x] || grid.pixel(y, x) == [gray, gray, gray]
      }
    }
    #expect(background, "something is drawn in the margins", sourceLocation: sourceLocation)
  }

  @Test(
    "Grids are about square, with each original directly above its reconstruction",
    arguments: [(1, 1), (2, 2), (7, 4), (8, 4), (9, 5), (64, 12)])
  func automatic(count: Int, columns: Int) {
    let (originals, reconstructions) = pairs(count)
    let grid = ImageGrid(originals: originals, reconstructions: reconstructions)
    expectGrid(pairs: count, columns: columns, in: grid.image(), factor: 1)
  }

  @Test(
    "Columns can be chosen, and are limited to 1 … the number of pairs",
    arguments: [(1, 3, 1), (7, 3, 3), (7, 7, 7), (7, 100, 7), (9, 1, 1), (9, 0, 1), (8, 2, 2)])
  func chosen(count: Int, asked: Int, columns: Int) {
    let (originals, reconstructions) = pairs(count)
    let grid = ImageGrid(
      originals: originals, reconstructions: reconstructions, columns: asked)
    expectGrid(pairs: count, columns: columns, in: grid.image(), factor: 1)
  }

  @Test("Images are magnified, margins are not", arguments: [1, 2, 3, 8])
  func magnified(factor: Int) {
    let (originals, reconstructions) = pairs(3)
    let grid = ImageGrid(originals: originals, reconstructions: reconstructions, columns: 2)
    expectGrid(pairs: 3, columns: 2, in: grid.image(magnifiedBy: factor), factor: factor)
  }

  @Test("Lists of different lengths, or empty ones, trap")
  func noPairs() async {
    await #expect(processExitsWith: .failure) {
      let picture = RGBImage(height: 1, width: 1, gray: 0)
      _ = ImageGrid(originals: [picture, picture], reconstructions: [picture])
    }
    await #expect(processExitsWith: .failure) {
      _ = ImageGrid(originals: [], reconstructions: [])
    }
  }
}
