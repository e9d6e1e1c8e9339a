import KernelTypes

// im2col, as in the reference (Im2ColConvolution.swift), but with the matrix products on register tiles. It is for
// shapes whose rows do not fill a tile: small feature maps, as at the bottleneck of a deep encoder, and
// images of few channels, such as the RGB images at the end of a decoder.
//
// A tile takes its rows from several images. An image's result still does not depend on its neighbours: a
// tile sums each row separately, in the order of the reduction.

extension ConvolutionGeometry {
  /// Columns of the column matrix, rounded up to whole panels.
  fileprivate var paddedPatchCount: Int {
    (patchCount + RegisterTile.columns - 1) / RegisterTile.columns * RegisterTile.columns
  }

  var columnTransposedFilterCount: Int { paddedPatchCount * filters }

  func columnForwardWorkspaceCount(count: Int) -> Int {
    isPointwise
      ? RowTiles.spare(patchCount)
      : blockRows(of: patchCount, count: count) * patchCount
        + RowTiles.spare(patchCount)
  }

  func columnInputGradientWorkspaceCount(count: Int) -> Int {
    blockRows(of: paddedPatchCount, count: count) * paddedPatchCount + RowTiles.spare(filters)
  }

  /// Images whose columns are in the workspace at once: as many as fit a core's cache, but at least enough
  /// to fill the rows of a tile.
  fileprivate func imagesPerBlock(of width: Int) -> Int {
    let cacheFloats = 1 << 16
    let wanted = max(cacheFloats / max(1, positions * width), (RowTiles.rows - 1) / positions + 1)
    return max(1, wanted)
  }

  /// Rows of the column matrix in the workspace; at least those of a tile.
  private func blockRows(of width: Int, count: Int) -> Int {
    max(RowTiles.rows, min(count, imagesPerBlock(of: width)) * positions)
  }

  /// Calls `body` for each block of images.
  fileprivate func forEachBlock(
    of width: Int, count: Int, _ body: (_ first: Int, _ images: Int) -> Void
  ) {
    let size = imagesPerBlock(of: width)
    for first in Swift.stride(from: 0, to: count, by: size) {
      body(first, min(size, count &- first))
    }
  }
}

/// The rows of a matrix product, in tiles. If their number is not a multiple of a tile's rows, the last tile
/// overlaps its neighbour. If there are fewer, they are copied to scratch memory and padded with
/// zeros.
private struct RowTiles {
  static let rows = RegisterTile.rows

  /// Floats of scratch memory: a tile's rows of `width`, and a tile.
  static func spare(_ width: Int) -> Int { rows * (width + RegisterTile.columns) }

  let a: UnsafePointer<Float>
  let count: Int
  let width: Int
  /// Scratch memory that a tile is stored to if there are fewer rows than a tile has, else nil.
  private let shortTile: UnsafeMutablePointer<Float>?

  /// - Parameters:
  ///   - a: `[count, width]`.
  ///   - spare: scratch memory, ``spare(_:)`` floats.
  init(
    _ a: UnsafePointer<Float>, count: Int, width: Int, spare: UnsafeMutablePointer<Float>
  ) {
    self.count = count
    self.width = width
    guard count < Self.rows else {
      self.a = a
      shortTile = nil
      return
    }
    spare.update(from: a, count: count &* width)
    (spare + count &* width).update(repeating: 0, count: (Self.rows &- count) &* width)
    self.a = UnsafePointer(spare)
    shortTile = spare + Self.rows &* width
  }

  /// `result = epilogue(a · panel)` for the columns of a panel `[width, columns]`.
  ///
  /// - Parameters:
  ///   - stride: floats between two rows of the result, and of the epilogue's residual.
  @inline(__always)
  func multiply(
    _ panel: UnsafePointer<Float>, _ epilogue: ConvolutionEpilogue,
    into result: UnsafeMutablePointer<Float>, stride: Int
  ) {
    for row in Swift.stride(from: 0, to: count, by: Self.rows) {
      let first = max(0, min(row, count &- Self.rows))
      var tile = RegisterTile(startingWith: epilogue.bias)
      tile.accumulate(
        a + first &* width, rowStride: width, stepStride: 1, panel,
        bStride: RegisterTile.columns, count: width)
      if let shortTile {
        tile.store(shortTile, stride: RegisterTile.columns)
        for r in 0..<count {
          let target = result + r &* stride
          target.update(from: shortTile + r &* RegisterTile.columns, count: RegisterTile.columns)
          Module.finish(
            target, count: RegisterTile.columns, epilogue.fromResult(r &* stride))
        }
      } else {
        if let residual = epilogue.residual { tile.add(residual + first &* stride, stride: stride) }
        if epilogue.relu { tile.relu() }
        tile.store(result + first &* stride, stride: stride)
      }
    }
  }
}

// MARK: Forward

extension Module {
  /// See ``im2colConvolution``.
  ///
  /// - Parameters:
  ///   - filters: packed by ``directFilters``.
  ///   - workspace: ``ConvolutionGeometry/columnForwardWorkspaceCount(count:)`` floats.
  static func columnConvolution(
    _ images: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
    count: Int, geometry g: ConvolutionGeometry, into maps: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    let spare = workspace
    let columns = workspace + RowTiles.spare(g.patchCount)
    g.forEachBlock(of: g.patchCount, count: count) { first, size in
      let source = images + first &* g.imageCount
      if !g.isPointwise { im2col(source, count: size, geometry: g, into: columns) }
      let rows = RowTiles(
        g.isPointwise ? source : UnsafePointer(columns), count: size &* g.positions,
        width: g.patchCount, spare: spare)
      let target = maps + first &* g.mapCount
      for column in Swift.stride(from: 0, to: g.filters, by: RegisterTile.columns) {
        rows.multiply(
          filters + column &* g.patchCount,
          epilogue.fromResult(first &* g.mapCount).fromChannel(column), into: target + column,
          stride: g.filters)
      }
    }
  }
}

// MARK: Input gradient

extension Module {
  /// Transposes filters into panels of a tile's columns, `[panel, filter, columns]`; the last one is padded with zeros.
  ///
  /// - Parameters:
  ///   - filters: `[kernelHeight, kernelWidth, channels, filters]`.
  ///   - panels: ``ConvolutionGeometry/columnTransposedFilterCount`` floats.
  static func columnTransposedFilters(
    _ filters: UnsafePointer<Float>, geometry g: ConvolutionGeometry,
    into panels: UnsafeMutablePointer<Float>
  ) {
    let width = RegisterTile.columns
    panels.update(repeating: 0, count: g.columnTransposedFilterCount)
    for row in 0..<g.patchCount {
      let target = panels + row / width &* width &* g.filters + row % width
      for f in 0..<g.filters { target[f &* width] = filters[row &* g.filters &+ f] }
    }
  }

  /// See ``im2colInputGradient``.
  ///
  /// - Parameters:
  ///   - filters: packed by ``columnTransposedFilters``.
  ///   - workspace: ``ConvolutionGeometry/columnInputGradientWorkspaceCount(count:)`` floats.
  static func columnInputGradient(
    _ maps: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
    count: Int, geometry g: ConvolutionGeometry, into images: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    let width = g.paddedPatchCount
    let spare = workspace
    let columns = workspace + RowTiles.spare(g.filters)
    g.forEachBlock(of: width, count: count) { first, size in
      let rows = RowTiles(
        maps + first &* g.mapCount, count: size &* g.positions, width: g.filters, spare: spare)
      for column in Swift.stride(from: 0, to: width, by: RegisterTile.columns) {
        rows.multiply(
          filters + column &* g.filters, ConvolutionEpilogue(), into: columns + column,
          stride: width)
      }
      let target = images + first &* g.imageCount
      if let bias = epilogue.bias {
        broadcastRow(bias, rows: size &* g.height &* g.width, columns: g.channels, into: target)
      } else {
        target.update(repeating: 0, count: size &* g.imageCount)
      }
      col2im(columns, count: size, geometry: g, into: target, stride: width)
      finish(target, count: size &* g.imageCount, epilogue.fromResult(first &* g.imageCount))
    }
  }
}
