// Convolution as matrix products over the column matrix of ``im2col``. Filters are a matrix
// `[kernelHeight·kernelWidth·channels, filters]`, so one layout serves the convolution and, walked
// backwards, the transposed convolution.

extension ConvolutionGeometry {
  /// Images whose columns are laid out at once, for a batch of `count`.
  ///
  /// The largest divisor of `count` that keeps the columns near a core's cache: every product of a
  /// batch then has the same shape, and OpenBLAS treats every image alike.
  package func imagesPerBlock(count: Int) -> Int {
    let cacheFloats = 1 << 18
    let most = max(1, cacheFloats / max(1, positions * patchCount))
    return (1...max(1, count)).last { count % $0 == 0 && $0 <= most } ?? 1
  }

  /// Floats of scratch memory that the three convolution kernels need for a batch of `count`.
  package func workspaceCount(count: Int) -> Int {
    isPointwise ? 0 : imagesPerBlock(count: count) * positions * patchCount
  }
}

/// `maps = im2col(images) · filters + bias`. Overwrites `maps`.
///
/// - Parameters:
///   - images: `[count, height, width, channels]`.
///   - filters: `[kernelHeight·kernelWidth·channels, filters]`.
///   - bias: `[filters]`, or nil for none.
///   - maps: `[count, outHeight, outWidth, filters]`.
///   - workspace: ``ConvolutionGeometry/workspaceCount(count:)`` floats.
package func convolution(
  _ images: UnsafePointer<Float>, filters: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
  count: Int, geometry g: ConvolutionGeometry, into maps: UnsafeMutablePointer<Float>,
  workspace: UnsafeMutablePointer<Float>
) {
  let filterMatrix = MatrixView(filters, rows: g.patchCount, columns: g.filters)
  forEachBlock(count: count, geometry: g) { first, size in
    let rows = size &* g.positions
    let target = maps + first &* g.mapCount
    if let bias { broadcastRow(bias, rows: rows, columns: g.filters, into: target) }
    let columns = layOutColumns(
      images + first &* g.imageCount, count: size, geometry: g, workspace: workspace)
    gemm(columns, filterMatrix, into: target, beta: bias == nil ? 0 : 1)
  }
}

/// `images = col2im(maps · filtersᵀ) + bias`: the gradient of ``convolution`` with respect to its
/// images, and with a bias the transposed convolution. Overwrites `images`.
///
/// - Parameters:
///   - maps: `[count, outHeight, outWidth, filters]`.
///   - filters: `[kernelHeight·kernelWidth·channels, filters]`.
///   - bias: `[channels]`, or nil for none.
///   - images: `[count, height, width, channels]`.
///   - workspace: ``ConvolutionGeometry/workspaceCount(count:)`` floats.
package func convolutionInputGradient(
  _ maps: UnsafePointer<Float>, filters: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
  count: Int, geometry g: ConvolutionGeometry, into images: UnsafeMutablePointer<Float>,
  workspace: UnsafeMutablePointer<Float>
) {
  let filterMatrix = MatrixView(filters, rows: g.patchCount, columns: g.filters)
  forEachBlock(count: count, geometry: g) { first, size in
    let source = MatrixView(
      maps + first &* g.mapCount, rows: size &* g.positions, columns: g.filters)
    let target = images + first &* g.imageCount
    if let bias {
      broadcastRow(
        bias, rows: size &* g.height &* g.width, columns: g.channels, into: target)
    }
    if g.isPointwise {
      gemm(source, filterMatrix.transposed, into: target, beta: bias == nil ? 0 : 1)
    } else {
      if bias == nil { target.update(repeating: 0, count: size &* g.imageCount) }
      gemm(source, filterMatrix.transposed, into: workspace)
      col2im(workspace, count: size, geometry: g, into: target)
    }
  }
}

/// `gradFilters = im2col(images)ᵀ · gradMaps`: the gradient of ``convolution`` with respect to its
/// filters. Overwrites `gradFilters`.
///
/// - Parameters:
///   - images: `[count, height, width, channels]`.
///   - gradMaps: `[count, outHeight, outWidth, filters]`.
///   - gradFilters: `[kernelHeight·kernelWidth·channels, filters]`.
///   - workspace: ``ConvolutionGeometry/workspaceCount(count:)`` floats.
package func convolutionFilterGradient(
  _ images: UnsafePointer<Float>, gradMaps: UnsafePointer<Float>,
  count: Int, geometry g: ConvolutionGeometry, into gradFilters: UnsafeMutablePointer<Float>,
  workspace: UnsafeMutablePointer<Float>
) {
  if count == 0 { gradFilters.update(repeating: 0, count: g.patchCount &* g.filters) }
  forEachBlock(count: count, geometry: g) { first, size in
    let columns = layOutColumns(
      images + first &* g.imageCount, count: size, geometry: g, workspace: workspace)
    let source = MatrixView(
      gradMaps + first &* g.mapCount, rows: size &* g.positions, columns: g.filters)
    gemm(columns.transposed, source, into: gradFilters, beta: first == 0 ? 0 : 1)
  }
}

/// The column matrix of some images: in the workspace, or the images themselves.
private func layOutColumns(
  _ images: UnsafePointer<Float>, count: Int, geometry g: ConvolutionGeometry,
  workspace: UnsafeMutablePointer<Float>
) -> MatrixView {
  let rows = count &* g.positions
  if g.isPointwise { return MatrixView(images, rows: rows, columns: g.channels) }
  im2col(images, count: count, geometry: g, into: workspace)
  return MatrixView(workspace, rows: rows, columns: g.patchCount)
}

/// Visits blocks of images: the first one's index, and how many. A pointwise convolution needs no
/// columns, so it is one block.
private func forEachBlock(
  count: Int, geometry g: ConvolutionGeometry, _ body: (_ first: Int, _ size: Int) -> Void
) {
  guard count > 0 else { return }
  let size = g.isPointwise ? count : g.imagesPerBlock(count: count)
  for first in stride(from: 0, to: count, by: size) { body(first, size) }
}
