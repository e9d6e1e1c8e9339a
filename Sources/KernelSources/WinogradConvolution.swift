import KernelTypes

// Convolution with fewer multiplications. An image is cut into tiles of 4×4 outputs; each tile's inputs
// are transformed to P² = (r + 3)² numbers per channel (``MinimalFiltering``), and so are the filters, once.
// Then the convolution is P² matrix products, tiles × channels × filters, and an inverse transform
// (Lavin and Gray 2015, equation 12).
//
// A convolution of stride s is the sum of s² convolutions of stride 1, one for each phase of rows and
// columns, whose filters are the taps of that phase:
// `out[y] = Σ over φ, t of w[s·t + φ] · image[s·(y + t) + φ − top]`. In the forward pass, the phases are
// concatenated along the reduction; in the input gradient, each phase yields positions of its own. So a 4×4
// kernel of stride 2 becomes four 2×2 kernels.
//
// A tile's sums use its own row alone, in a fixed order, so an image's result does not depend on its
// neighbours. Measured errors are below 1e-5 of the largest output.

extension ConvolutionGeometry {
  /// Products of a tile, P².
  var productsPerTile: Int {
    let points = (kernelHeight / stride) &+ 3
    return points &* points
  }

  /// Floats that ``winogradFilters`` or ``winogradFlippedFilters`` writes.
  var winogradFilterCount: Int {
    productsPerTile &* stride &* stride &* channels &* filters
  }

  func winogradForwardWorkspaceCount(count: Int) -> Int {
    winogradWorkspaceCount(
      TileGrid(height: outHeight, width: outWidth), count: count,
      depth: stride &* stride &* channels)
  }

  func winogradInputGradientWorkspaceCount(count: Int) -> Int {
    winogradWorkspaceCount(largestPhaseTiles, count: count, depth: filters)
  }

  /// The tiles over an image's largest phase.
  fileprivate var largestPhaseTiles: TileGrid {
    TileGrid(
      height: (height &+ stride &- 1) / stride, width: (width &+ stride &- 1) / stride)
  }

  func winogradFilterGradientWorkspaceCount(count: Int) -> Int {
    winogradForwardWorkspaceCount(count: count)
      &+ productsPerTile &* winogradDepthAtOnce &* RegisterTile.columns
  }

  private func winogradWorkspaceCount(_ tiles: TileGrid, count: Int, depth: Int) -> Int {
    let rows = RegisterTile.paddedRows(
      tiles.count &* tiles.imagesAtOnce(count, tileFloats: productsPerTile &* depth))
    return productsPerTile
      &* (TransformedTiles.stride(rows, depth)
        &+ TransformedTiles.stride(rows, RegisterTile.columns))
      &+ scratchFloats &+ depth
  }
}

/// Rows of the reduction that are stored contiguously for the filter gradient: those of the wide tile, or whole
/// vectors, of which six rows are no part.
private let reductionBlock = hasWideRegisters ? 8 : 16

// MARK: Forward

extension Module {
  /// See ``im2colConvolution``.
  ///
  /// - Parameters:
  ///   - filters: transformed by ``winogradFilters``.
  ///   - workspace: ``ConvolutionGeometry/winogradForwardWorkspaceCount(count:)`` floats.
  static func winogradConvolution(
    _ images: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
    count: Int, geometry g: ConvolutionGeometry, into maps: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    func run<Filtering: MinimalFiltering>(_ filtering: Filtering.Type) {
      let tiles = TileGrid(height: g.outHeight, width: g.outWidth)
      let depth = g.stride &* g.stride &* g.channels
      let target = StridedView(
        height: g.outHeight, width: g.outWidth, channels: g.filters, top: 0, left: 0, stride: 1)
      let area = WinogradWorkspace<Filtering>(workspace, tiles, count: count, depth: depth)
      for first in stride(from: 0, to: count, by: area.imagesAtOnce) {
        let size = min(area.imagesAtOnce, count &- first)
        area.transformPhases(
          images + first &* g.imageCount, count: size, geometry: g, tiles: tiles
        ) { matrix, tile, row, value in value.store(matrix + tile &* depth + row) }
        for panel in 0..<(g.filters / RegisterTile.columns) {
          let column = panel &* RegisterTile.columns
          area.multiply(
            filters + panel &* area.matrices &* depth &* RegisterTile.columns,
            rows: size &* tiles.count)
          transformOutputs(
            filtering, area.products, matrixStride: area.productStride,
            epilogue: epilogue.fromResult(first &* g.mapCount).fromChannel(column),
            count: size, view: target, extents: (g.outHeight, g.outWidth), tiles: tiles,
            into: maps + first &* g.mapCount + column, scratch: area.scratch)
        }
      }
    }
    g.winogradTaps == 3 ? run(ThreeTaps.self) : run(TwoTaps.self)
  }
}

// MARK: Input gradient

extension Module {
  /// See ``im2colInputGradient``.
  ///
  /// - Parameters:
  ///   - filters: transformed by ``winogradFlippedFilters``.
  ///   - workspace: ``ConvolutionGeometry/winogradInputGradientWorkspaceCount(count:)`` floats.
  static func winogradInputGradient(
    _ maps: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
    count: Int, geometry g: ConvolutionGeometry, into images: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    func run<Filtering: MinimalFiltering>(_ filtering: Filtering.Type) {
      let columns = RegisterTile.columns
      var phaseFilters = filters
      let area = WinogradWorkspace<Filtering>(
        workspace, g.largestPhaseTiles, count: count, depth: g.filters)
      g.forEachPhase { y, x in
        let tiles = TileGrid(height: y.count, width: x.count)
        let source = StridedView(
          height: g.outHeight, width: g.outWidth, channels: g.filters,
          top: y.base &- Filtering.taps &+ 1, left: x.base &- Filtering.taps &+ 1, stride: 1)
        let target = StridedView(
          height: g.height, width: g.width, channels: g.channels, top: y.first, left: x.first,
          stride: g.stride)
        for first in stride(from: 0, to: count, by: area.imagesAtOnce) {
          let size = min(area.imagesAtOnce, count &- first)
          transformInputs(
            filtering, maps + first &* g.mapCount, count: size, view: source, tiles: tiles,
            zeros: area.zeros, scratch: area.scratch
          ) { product, tile, channel, value in
            value.store(
              area.inputs + product &* area.inputStride + tile &* g.filters + channel)
          }
          for panel in 0..<(g.channels / columns) {
            area.multiply(
              phaseFilters + panel &* area.matrices &* g.filters &* columns,
              rows: size &* tiles.count)
            transformOutputs(
              filtering, area.products, matrixStride: area.productStride,
              epilogue: epilogue.fromResult(first &* g.imageCount).fromChannel(panel &* columns),
              count: size, view: target,
              extents: (y.count, x.count), tiles: tiles,
              into: images + first &* g.imageCount + panel &* columns, scratch: area.scratch)
          }
        }
        phaseFilters += area.matrices &* g.channels &* g.filters
      }
    }
    g.winogradTaps == 3 ? run(ThreeTaps.self) : run(TwoTaps.self)
  }
}

// MARK: Filter gradient

extension Module {
  /// See ``im2colFilterGradient``: `Gᵀ·(Σ over tiles of (Bᵀ·d·B)ᵀ · (A·dY·Aᵀ))·G`, the adjoint of
  /// ``winogradConvolution``.
  ///
  /// - Parameter workspace: ``ConvolutionGeometry/winogradFilterGradientWorkspaceCount(count:)`` floats.
  static func winogradFilterGradient(
    _ images: UnsafePointer<Float>, gradOutput: UnsafePointer<Float>,
    count: Int, geometry g: ConvolutionGeometry, into gradFilters: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    if count == 0 { gradFilters.update(repeating: 0, count: g.filterCount) }
    func run<Filtering: MinimalFiltering>(_ filtering: Filtering.Type) {
      let (points, columns) = (Filtering.points, RegisterTile.columns)
      let tiles = TileGrid(height: g.outHeight, width: g.outWidth)
      let depth = g.stride &* g.stride &* g.channels
      let area = WinogradWorkspace<Filtering>(workspace, tiles, count: count, depth: depth)
      let source = StridedView(
        height: g.outHeight, width: g.outWidth, channels: g.filters, top: 0, left: 0, stride: 1)
      let sums = area.rest
      for first in stride(from: 0, to: count, by: area.imagesAtOnce) {
        let size = min(area.imagesAtOnce, count &- first)
        let rows = size &* tiles.count
        // Blocks of rows of the reduction are stored contiguously: they are the left factor of a register tile.
        area.transformPhases(
          images + first &* g.imageCount, count: size, geometry: g, tiles: tiles
        ) { matrix, tile, row, value in
          let target = UnsafeMutableRawPointer(matrix + row &* rows + tile &* reductionBlock)
          if reductionBlock == 16 {
            target.storeBytes(of: value, as: Lanes.self)
          } else {
            target.storeBytes(of: value.lowHalf, as: SIMD8<Float>.self)
            target.storeBytes(of: value.highHalf, toByteOffset: 32 &* rows, as: SIMD8<Float>.self)
          }
        }
        for column in stride(from: 0, to: g.filters, by: columns) {
          transformOutputGradients(
            filtering, gradOutput + first &* g.mapCount + column, count: size, view: source,
            tiles: tiles, into: area.products, matrixStride: area.productStride,
            scratch: area.scratch)
          for row in stride(from: 0, to: depth, by: winogradDepthAtOnce) {
            for product in 0..<(points &* points) {
              let b = area.products + product &* area.productStride
              for block in stride(from: 0, to: winogradDepthAtOnce, by: reductionBlock) {
                for r in stride(from: 0, to: reductionBlock, by: RegisterTile.rows) {
                  // The last tile of a block overlaps its neighbour.
                  let first = min(r, reductionBlock &- RegisterTile.rows)
                  var tile = RegisterTile(startingWith: nil)
                  tile.accumulate(
                    area.inputs + product &* area.inputStride + (row &+ block) &* rows + first,
                    rowStride: 1, stepStride: reductionBlock, b, bStride: columns, count: rows)
                  tile.store(
                    sums + (product &* winogradDepthAtOnce &+ block &+ first) &* columns,
                    stride: columns)
                }
              }
            }
            addTransformedBack(
              filtering, sums, row: row, column: column, geometry: g, startsAtZero: first == 0,
              into: gradFilters, scratch: area.scratch)
          }
        }
      }
    }
    g.winogradTaps == 3 ? run(ThreeTaps.self) : run(TwoTaps.self)
  }
}

/// `gradFilters (+)= Gᵀ·sums·G` for 32 rows of the reduction and the filters of a panel.
private func addTransformedBack<Filtering: MinimalFiltering>(
  _: Filtering.Type, _ sums: UnsafePointer<Float>, row: Int, column: Int,
  geometry g: ConvolutionGeometry, startsAtZero: Bool,
  into gradFilters: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Lanes>
) {
  let points = Filtering.points
  for r in 0..<winogradDepthAtOnce {
    let (phase, channel) = ((row &+ r) / g.channels, (row &+ r) % g.channels)
    let (py, px) = (phase / g.stride, phase % g.stride)
    for c in stride(from: 0, to: RegisterTile.columns, by: 16) {
      transformSquare(
        by: Filtering.FilterGradient.self, scratch: scratch,
        read: { i, j in
          Lanes(
            loading: sums + ((i &* points &+ j) &* winogradDepthAtOnce &+ r) &* RegisterTile.columns
              + c)
        },
        write: { t, u, value in
          let element = (t &* g.stride &+ py) &* g.kernelWidth &+ u &* g.stride &+ px
          let target =
            gradFilters + (element &* g.channels &+ channel) &* g.filters + column + c
          (startsAtZero ? value : Lanes(loading: target) + value).store(target)
        })
    }
  }
}
