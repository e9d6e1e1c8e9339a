import KernelTypes

// The reference: convolution as matrix products over the column matrix of ``im2col``. Filters are a matrix
// `[kernelHeight·kernelWidth·channels, filters]`, so one layout serves the convolution and its
// input gradient, the transposed convolution.
//
// The forward pass and the input gradient of several images are one product only if its rows are independent
// (``productRowsAreIndependent``); else it would make an image's result depend on its neighbours. One product an image
// costs OpenBLAS less than a tenth of its speed.

extension ConvolutionGeometry {
  /// Images whose columns are in the workspace at once, for a batch of `count`.
  fileprivate func imagesAtOnce(_ pass: ConvolutionPass, count: Int) -> Int {
    switch pass {
    case .filterGradient: break
    case .forward, .inputGradient: if !productRowsAreIndependent { return 1 }
    }
    return isPointwise ? max(1, count) : imagesPerColumnMatrix(count: count)
  }

  /// Floats of the column matrix in the workspace.
  fileprivate func columnCount(_ pass: ConvolutionPass, count: Int) -> Int {
    isPointwise ? 0 : imagesAtOnce(pass, count: count) * positions * patchCount
  }

  /// Floats of scratch memory: the column matrix, then that of the product.
  func im2colWorkspaceCount(_ pass: ConvolutionPass, count: Int) -> Int {
    let inner =
      switch pass {
      case .forward: patchCount
      case .inputGradient: filters
      case .filterGradient: imagesAtOnce(pass, count: count) * positions
      }
    return columnCount(pass, count: count) + Module.productWorkspaceCount(inner: inner)
  }

  /// Calls `body` for each block of images; the last one may be smaller.
  @inline(__always)
  fileprivate func forEachBlock(
    _ pass: ConvolutionPass, count: Int, _ body: (_ first: Int, _ size: Int) -> Void
  ) {
    let size = imagesAtOnce(pass, count: count)
    var first = 0
    while first < count {
      body(first, min(size, count &- first))
      first &+= size
    }
  }
}

extension Module {
  /// `maps = epilogue(im2col(images) · filters)`. Overwrites `maps`.
  ///
  /// - Parameters:
  ///   - images: `[count, height, width, channels]`.
  ///   - filters: `[kernelHeight·kernelWidth·channels, filters]`.
  ///   - maps: `[count, outHeight, outWidth, filters]`.
  ///   - workspace: ``ConvolutionGeometry/im2colWorkspaceCount(_:count:)`` floats.
  static func im2colConvolution(
    _ images: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
    count: Int, geometry g: ConvolutionGeometry, into maps: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    let filterMatrix = MatrixView(filters, rows: g.patchCount, columns: g.filters)
    let rest = workspace + g.columnCount(.forward, count: count)
    g.forEachBlock(.forward, count: count) { first, size in
      let target = maps + first &* g.mapCount
      if let bias = epilogue.bias {
        broadcastRow(bias, rows: size &* g.positions, columns: g.filters, into: target)
      }
      let columns = layOutColumns(
        images + first &* g.imageCount, count: size, geometry: g, workspace: workspace)
      product(
        columns, filterMatrix, factor: 1, into: target, stride: g.filters,
        adds: epilogue.bias != nil, workspace: rest)
      finish(target, count: size &* g.mapCount, epilogue.fromResult(first &* g.mapCount))
    }
  }

  /// `images = epilogue(col2im(maps · filtersᵀ))`: the gradient of ``im2colConvolution`` with respect to its
  /// images, and with a bias the transposed convolution. Overwrites `images`.
  ///
  /// - Parameters:
  ///   - maps: `[count, outHeight, outWidth, filters]`.
  ///   - filters: `[kernelHeight·kernelWidth·channels, filters]`.
  ///   - images: `[count, height, width, channels]`.
  ///   - workspace: ``ConvolutionGeometry/im2colWorkspaceCount(_:count:)`` floats.
  static func im2colInputGradient(
    _ maps: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
    count: Int, geometry g: ConvolutionGeometry, into images: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    let filterMatrix = MatrixView(filters, rows: g.patchCount, columns: g.filters).transposed
    let rest = workspace + g.columnCount(.inputGradient, count: count)
    g.forEachBlock(.inputGradient, count: count) { first, size in
      let source = MatrixView(
        maps + first &* g.mapCount, rows: size &* g.positions, columns: g.filters)
      let target = images + first &* g.imageCount
      if let bias = epilogue.bias {
        broadcastRow(bias, rows: size &* g.height &* g.width, columns: g.channels, into: target)
      }
      if g.isPointwise {
        product(
          source, filterMatrix, factor: 1, into: target, stride: g.channels,
          adds: epilogue.bias != nil, workspace: rest)
      } else {
        if epilogue.bias == nil { target.update(repeating: 0, count: size &* g.imageCount) }
        product(
          source, filterMatrix, factor: 1, into: workspace, stride: g.patchCount, adds: false,
          workspace: rest)
        col2im(workspace, count: size, geometry: g, into: target, stride: g.patchCount)
      }
      finish(target, count: size &* g.imageCount, epilogue.fromResult(first &* g.imageCount))
    }
  }

  /// `gradFilters = im2col(images)ᵀ · gradOutput`: the gradient of ``im2colConvolution`` with respect to its
  /// filters. Overwrites `gradFilters`.
  ///
  /// - Parameters:
  ///   - images: `[count, height, width, channels]`.
  ///   - gradOutput: `[count, outHeight, outWidth, filters]`.
  ///   - gradFilters: `[kernelHeight·kernelWidth·channels, filters]`.
  ///   - workspace: ``ConvolutionGeometry/im2colWorkspaceCount(_:count:)`` floats.
  static func im2colFilterGradient(
    _ images: UnsafePointer<Float>, gradOutput: UnsafePointer<Float>,
    count: Int, geometry g: ConvolutionGeometry, into gradFilters: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    if count == 0 { gradFilters.update(repeating: 0, count: g.filterCount) }
    let rest = workspace + g.columnCount(.filterGradient, count: count)
    g.forEachBlock(.filterGradient, count: count) { first, size in
      let columns = layOutColumns(
        images + first &* g.imageCount, count: size, geometry: g, workspace: workspace)
      let source = MatrixView(
        gradOutput + first &* g.mapCount, rows: size &* g.positions, columns: g.filters)
      product(
        columns.transposed, source, factor: 1, into: gradFilters, stride: g.filters,
        adds: first > 0, workspace: rest)
    }
  }

  /// The column matrix of `count` images, in the workspace; the images themselves if pointwise.
  private static func layOutColumns(
    _ images: UnsafePointer<Float>, count: Int, geometry g: ConvolutionGeometry,
    workspace: UnsafeMutablePointer<Float>
  ) -> MatrixView {
    let rows = count &* g.positions
    if g.isPointwise { return MatrixView(images, rows: rows, columns: g.channels) }
    im2col(images, count: count, geometry: g, into: workspace)
    return MatrixView(workspace, rows: rows, columns: g.patchCount)
  }
}
