// The input gradient of a convolution whose images have few channels, such as the three of a picture: the
// transposed convolution at the end of a decoder. The channels do not fill a register, but the columns of
// the column matrix do, so this is the reference's way (Convolution.swift) with the product on register
// tiles; the last panel of columns is filled up with zeros.

extension ConvolutionGeometry {
  /// Whether ``narrowInputGradient`` takes this shape.
  package var suitsNarrowInputGradient: Bool {
    hasWideRegisters && channels % RegisterTile.columns != 0 && positions >= 8
      && 2 * paddedPatchCount <= 3 * patchCount
  }

  /// Columns of the column matrix in whole panels.
  fileprivate var paddedPatchCount: Int {
    (patchCount + RegisterTile.columns - 1) / RegisterTile.columns * RegisterTile.columns
  }

  package var narrowFilterCount: Int { paddedPatchCount * filters }

  package var narrowInputGradientWorkspaceCount: Int { positions * paddedPatchCount }
}

/// Transposes filters into panels of 32 columns, `[panel, filter, 32]`.
///
/// - Parameters:
///   - filters: `[kernelHeight, kernelWidth, channels, filters]`.
///   - panels: ``ConvolutionGeometry/narrowFilterCount`` floats.
package func narrowFilters(
  _ filters: UnsafePointer<Float>, geometry g: ConvolutionGeometry,
  into panels: UnsafeMutablePointer<Float>
) {
  let width = RegisterTile.columns
  panels.update(repeating: 0, count: g.narrowFilterCount)
  for row in 0..<g.patchCount {
    let target = panels + row / width &* width &* g.filters + row % width
    for f in 0..<g.filters { target[f &* width] = filters[row &* g.filters &+ f] }
  }
}

/// See ``convolutionInputGradient``.
///
/// - Parameters:
///   - filters: of ``narrowFilters``.
///   - workspace: ``ConvolutionGeometry/narrowInputGradientWorkspaceCount`` floats.
package func narrowInputGradient(
  _ maps: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
  count: Int, geometry g: ConvolutionGeometry, into images: UnsafeMutablePointer<Float>,
  workspace: UnsafeMutablePointer<Float>
) {
  let stride = g.paddedPatchCount
  for n in 0..<count {
    for column in Swift.stride(from: 0, to: stride, by: RegisterTile.columns) {
      for position in Swift.stride(from: 0, to: g.positions, by: 8) {
        // The last tile overlaps its neighbour where the positions are no multiple of eight.
        let first = min(position, g.positions &- 8)
        var tile = RegisterTile(startingWith: nil)
        tile.accumulate(
          maps + n &* g.mapCount + first &* g.filters, rowStride: g.filters, stepStride: 1,
          filters + column &* g.filters, bStride: RegisterTile.columns, count: g.filters)
        tile.store(workspace + first &* stride + column, stride: stride)
      }
    }
    let target = images + n &* g.imageCount
    if let bias = epilogue.bias {
      broadcastRow(bias, rows: g.height &* g.width, columns: g.channels, into: target)
    } else {
      target.update(repeating: 0, count: g.imageCount)
    }
    col2im(workspace, count: 1, geometry: g, into: target, stride: stride)
    epilogue.fromResult(n &* g.imageCount).finish(target, count: g.imageCount)
  }
}
