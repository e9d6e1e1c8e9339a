import BLAS
import KernelTypes

// Convolution as matrix products over the column matrix of ``im2col``. Filters are a matrix
// `[kernelHeight·kernelWidth·channels, filters]`, so one layout serves the convolution and its
// input gradient, the transposed convolution.
//
// The forward pass and the input gradient use one product per image. OpenBLAS may round a row of a
// product differently for another number of rows or another place among them (its Haswell kernel treats
// rows 6 to 11 of every twelve unlike rows 0 to 5), so a product over several images would make an
// image's result depend on its neighbours. The price is below a tenth of the product's speed.

extension ConvolutionGeometry {
  /// Images whose columns the filter gradient lays out at once, for a batch of `count`. A longer reduction
  /// updates the gradient less often, but the columns should stay within a core's cache.
  package func imagesPerReduction(count: Int) -> Int {
    let cacheFloats = 1 << 18
    return min(max(1, count), max(1, cacheFloats / max(1, positions * patchCount)))
  }

  /// Floats of scratch memory that the three convolution kernels need for a batch of `count`.
  package func workspaceCount(count: Int) -> Int {
    isPointwise ? 0 : imagesPerReduction(count: count) * positions * patchCount
  }

  /// Calls `body` for each block of images; the last one may be smaller.
  fileprivate func forEachReduction(
    count: Int, _ body: (_ first: Int, _ size: Int) -> Void
  ) {
    let size = isPointwise ? max(1, count) : imagesPerReduction(count: count)
    for first in Swift.stride(from: 0, to: count, by: size) {
      body(first, min(size, count - first))
    }
  }
}

/// `maps = epilogue(im2col(images) · filters)`. Overwrites `maps`.
///
/// - Parameters:
///   - images: `[count, height, width, channels]`.
///   - filters: `[kernelHeight·kernelWidth·channels, filters]`.
///   - maps: `[count, outHeight, outWidth, filters]`.
///   - workspace: ``ConvolutionGeometry/workspaceCount(count:)`` floats.
package func convolution(
  _ images: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
  count: Int, geometry g: ConvolutionGeometry, into maps: UnsafeMutablePointer<Float>,
  workspace: UnsafeMutablePointer<Float>
) {
  let filterMatrix = MatrixView(filters, rows: g.patchCount, columns: g.filters)
  for n in 0..<count {
    let target = maps + n &* g.mapCount
    if let bias = epilogue.bias {
      broadcastRow(bias, rows: g.positions, columns: g.filters, into: target)
    }
    let columns = layOutColumns(
      images + n &* g.imageCount, count: 1, geometry: g, workspace: workspace)
    gemm(columns, filterMatrix, into: target, beta: epilogue.bias == nil ? 0 : 1)
    epilogue.fromResult(n &* g.mapCount).finish(target, count: g.mapCount)
  }
}

/// `images = epilogue(col2im(maps · filtersᵀ))`: the gradient of ``convolution`` with respect to its
/// images, and with a bias the transposed convolution. Overwrites `images`.
///
/// - Parameters:
///   - maps: `[count, outHeight, outWidth, filters]`.
///   - filters: `[kernelHeight·kernelWidth·channels, filters]`.
///   - images: `[count, height, width, channels]`.
///   - workspace: ``ConvolutionGeometry/workspaceCount(count:)`` floats.
package func convolutionInputGradient(
  _ maps: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
  count: Int, geometry g: ConvolutionGeometry, into images: UnsafeMutablePointer<Float>,
  workspace: UnsafeMutablePointer<Float>
) {
  let filterMatrix = MatrixView(filters, rows: g.patchCount, columns: g.filters)
  for n in 0..<count {
    let source = MatrixView(maps + n &* g.mapCount, rows: g.positions, columns: g.filters)
    let target = images + n &* g.imageCount
    if let bias = epilogue.bias {
      broadcastRow(bias, rows: g.height &* g.width, columns: g.channels, into: target)
    }
    if g.isPointwise {
      gemm(source, filterMatrix.transposed, into: target, beta: epilogue.bias == nil ? 0 : 1)
    } else {
      if epilogue.bias == nil { target.update(repeating: 0, count: g.imageCount) }
      gemm(source, filterMatrix.transposed, into: workspace)
      col2im(workspace, count: 1, geometry: g, into: target)
    }
    epilogue.fromResult(n &* g.imageCount).finish(target, count: g.imageCount)
  }
}

/// `gradFilters = im2col(images)ᵀ · gradOutput`: the gradient of ``convolution`` with respect to its
/// filters. Overwrites `gradFilters`.
///
/// - Parameters:
///   - images: `[count, height, width, channels]`.
///   - gradOutput: `[count, outHeight, outWidth, filters]`.
///   - gradFilters: `[kernelHeight·kernelWidth·channels, filters]`.
///   - workspace: ``ConvolutionGeometry/workspaceCount(count:)`` floats.
package func convolutionFilterGradient(
  _ images: UnsafePointer<Float>, gradOutput: UnsafePointer<Float>,
  count: Int, geometry g: ConvolutionGeometry, into gradFilters: UnsafeMutablePointer<Float>,
  workspace: UnsafeMutablePointer<Float>
) {
  if count == 0 { gradFilters.update(repeating: 0, count: g.filterCount) }
  g.forEachReduction(count: count) { first, size in
    let columns = layOutColumns(
      images + first &* g.imageCount, count: size, geometry: g, workspace: workspace)
    let source = MatrixView(
      gradOutput + first &* g.mapCount, rows: size &* g.positions, columns: g.filters)
    gemm(columns.transposed, source, into: gradFilters, beta: first == 0 ? 0 : 1)
  }
}

/// The column matrix of `count` images, in the workspace; the images themselves if pointwise.
private func layOutColumns(
  _ images: UnsafePointer<Float>, count: Int, geometry g: ConvolutionGeometry,
  workspace: UnsafeMutablePointer<Float>
) -> MatrixView {
  let rows = count &* g.positions
  if g.isPointwise { return MatrixView(images, rows: rows, columns: g.channels) }
  im2col(images, count: count, geometry: g, into: workspace)
  return MatrixView(workspace, rows: rows, columns: g.patchCount)
}
