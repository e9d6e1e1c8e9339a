// Convolution with fewer multiplications. An image is cut into tiles of 4×4 outputs; each tile's inputs
// are transformed to P² = (r + 3)² numbers a channel (``MinimalFiltering``), and so are the filters, once.
// Then the convolution is P² matrix products, tiles × channels × filters, and a transform back
// (Lavin and Gray 2015, equation 12).
//
// A stride of s is s² convolutions of stride 1, one for each phase of rows and columns, whose filters
// are the taps of that phase: `out[y] = Σ over φ, t of w[s·t + φ] · image[s·(y + t) + φ − top]`. Forward,
// the phases lie side by side in the reduction; backwards, each makes the positions of its own. So the
// 4×4 kernel of stride 2 is four 2×2 ones.
//
// A tile's sums run over its own row alone and in one order, so an image's result does not depend on its
// neighbours. Measured errors are below 1e-5 of the largest output.

extension ConvolutionGeometry {
  /// Taps of one phase of the kernel, where all phases have the same number.
  fileprivate var winogradTaps: Int? {
    guard kernelHeight == kernelWidth, kernelHeight % stride == 0 else { return nil }
    let taps = kernelHeight / stride
    return taps == 2 || taps == 3 ? taps : nil
  }

  /// Whether the tiles over these outputs take clearly fewer multiplications than the definition.
  fileprivate func winogradPays(height: Int, width: Int) -> Bool {
    guard hasWideRegisters, let taps = winogradTaps else { return false }
    let tiles = TileGrid(height: height, width: width)
    let products = tiles.count &* (taps &+ 3) &* (taps &+ 3)
    return 3 &* products < 2 &* height &* width &* taps &* taps
  }

  package var suitsWinogradForward: Bool {
    channels % 16 == 0 && filters % RegisterTile.columns == 0
      && winogradPays(height: outHeight, width: outWidth)
  }

  package var suitsWinogradInputGradient: Bool {
    filters % 16 == 0 && channels % RegisterTile.columns == 0
      && winogradPays(height: height / stride, width: width / stride)
  }

  package var suitsWinogradFilterGradient: Bool { suitsWinogradForward && channels % 32 == 0 }

  /// Products of a tile, P².
  fileprivate var productsPerTile: Int {
    let points = (kernelHeight / stride) &+ 3
    return points &* points
  }

  /// Floats of the filters that ``winogradFilters`` or ``winogradTurnedFilters`` makes.
  package var winogradFilterCount: Int {
    productsPerTile &* stride &* stride &* channels &* filters
  }

  package func winogradForwardWorkspaceCount(count: Int) -> Int {
    winogradWorkspaceCount(
      TileGrid(height: outHeight, width: outWidth), count: count,
      depth: stride &* stride &* channels)
  }

  package func winogradInputGradientWorkspaceCount(count: Int) -> Int {
    let extents = ((height &+ stride &- 1) / stride, (width &+ stride &- 1) / stride)
    return winogradWorkspaceCount(
      TileGrid(height: extents.0, width: extents.1), count: count, depth: filters)
  }

  package func winogradFilterGradientWorkspaceCount(count: Int) -> Int {
    winogradForwardWorkspaceCount(count: count)
      &+ productsPerTile &* depthAtOnce &* RegisterTile.columns
  }

  private func winogradWorkspaceCount(_ tiles: TileGrid, count: Int, depth: Int) -> Int {
    let rows = TransformedTiles.paddedRows(
      tiles.count &* tiles.imagesAtOnce(count, tileFloats: productsPerTile &* depth))
    return productsPerTile
      &* (TransformedTiles.stride(rows, depth)
        &+ TransformedTiles.stride(rows, RegisterTile.columns))
      &+ scratchFloats &+ depth
  }
}

/// Room for the vectors between the two halves of a transform.
private let scratchFloats = 36 * 16

/// Rows of the reduction whose gradients are made at once, so that they stay in cache until they are
/// transformed back.
private let depthAtOnce = 32

/// Tiles of 4×4 positions over a map.
private struct TileGrid {
  let rows: Int
  let columns: Int

  init(height: Int, width: Int) {
    rows = (height &+ tileExtent &- 1) / tileExtent
    columns = (width &+ tileExtent &- 1) / tileExtent
  }

  /// Tiles of one map.
  var count: Int { rows &* columns }

  /// Images whose tiles make one product: as many as leave the transformed inputs in a core's cache.
  ///
  /// - Parameter tileFloats: floats of a transformed tile.
  func imagesAtOnce(_ images: Int, tileFloats: Int) -> Int {
    let cacheFloats = 160 << 10
    return min(max(1, images), max(1, cacheFloats / (max(1, count) &* tileFloats)))
  }
}

/// How transformed tiles lie in memory.
private enum TransformedTiles {
  /// Whole register tiles.
  static func paddedRows(_ rows: Int) -> Int { (rows &+ 7) & ~7 }

  /// Floats between two of the P² matrices. Not a power of two: the numbers of a tile would fall on the
  /// same place of the cache.
  static func stride(_ rows: Int, _ columns: Int) -> Int { rows &* columns &+ 16 }
}

/// Every s-th row and column of some images, beginning at an origin that may lie outside.
private struct Lattice {
  let height: Int
  let width: Int
  let channels: Int
  let top: Int
  let left: Int
  let step: Int

  /// The floats from an image's first to its pixel at a place of the lattice; nil outside.
  @inline(__always)
  func offset(_ y: Int, _ x: Int) -> Int? {
    let (row, column) = (top &+ y &* step, left &+ x &* step)
    guard row >= 0, row < height, column >= 0, column < width else { return nil }
    return (row &* width &+ column) &* channels
  }
}

// MARK: The three transforms of tiles

/// Transforms the inputs of tiles: `into[ξ, tile, c] = (Bᵀ·d·B)[ξ]`.
///
/// - Parameters:
///   - images: the first of `count`; the lattice tells where the tiles' inputs lie in them.
///   - zeros: as many as there are channels, for what lies outside an image.
///   - store: takes 16 channels, from the number of the tile and of the first channel.
@inline(__always)
private func transformInputs<Filtering: MinimalFiltering>(
  _: Filtering.Type, _ images: UnsafePointer<Float>, count: Int, lattice: Lattice, tiles: TileGrid,
  zeros: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Lanes>,
  store: (_ product: Int, _ tile: Int, _ channel: Int, Lanes) -> Void
) {
  let points = Filtering.points
  let imageCount = lattice.height &* lattice.width &* lattice.channels
  withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: points &* points) {
    let pixels = $0.baseAddress!
    for n in 0..<count {
      let image = images + n &* imageCount
      for ty in 0..<tiles.rows {
        for tx in 0..<tiles.columns {
          for i in 0..<points {
            for j in 0..<points {
              let offset = lattice.offset(ty &* tileExtent &+ i, tx &* tileExtent &+ j)
              pixels[i &* points &+ j] = offset.map { image + $0 } ?? zeros
            }
          }
          let tile = (n &* tiles.rows &+ ty) &* tiles.columns &+ tx
          for c in stride(from: 0, to: lattice.channels, by: 16) {
            transformSquare(
              by: Filtering.Input.self, scratch: scratch,
              read: { Lanes(loading: pixels[$0 &* points &+ $1] + c) },
              write: { store($0 &* points &+ $1, tile, c, $2) })
          }
        }
      }
    }
  }
}

/// Transforms products back to outputs, `Aᵀ·m·A`, and writes 32 channels of them.
private func transformOutputs<Filtering: MinimalFiltering>(
  _: Filtering.Type, _ products: UnsafePointer<Float>, matrixStride: Int,
  epilogue: ConvolutionEpilogue, count: Int, lattice: Lattice, extents: (height: Int, width: Int),
  tiles: TileGrid, into maps: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Lanes>
) {
  let points = Filtering.points
  let mapCount = lattice.height &* lattice.width &* lattice.channels
  for n in 0..<count {
    for ty in 0..<tiles.rows {
      let rows = min(tileExtent, extents.height &- ty &* tileExtent)
      for tx in 0..<tiles.columns {
        let columns = min(tileExtent, extents.width &- tx &* tileExtent)
        let tile = (n &* tiles.rows &+ ty) &* tiles.columns &+ tx
        let (y, x) = (ty &* tileExtent &* lattice.step, tx &* tileExtent &* lattice.step)
        let origin =
          n &* mapCount
          &+ ((lattice.top &+ y) &* lattice.width &+ lattice.left &+ x) &* lattice.channels
        let (rowStep, columnStep) = (
          lattice.step &* lattice.width &* lattice.channels, lattice.step &* lattice.channels
        )
        for c in stride(from: 0, to: RegisterTile.columns, by: 16) {
          let bias = epilogue.bias.map { Lanes(loading: $0 + c) } ?? .zero
          let m = products + tile &* RegisterTile.columns + c
          transformSquare(
            by: Filtering.Output.self, scratch: scratch,
            read: { Lanes(loading: m + ($0 &* points &+ $1) &* matrixStride) },
            write: {
              if $0 < rows && $1 < columns {
                let place = origin &+ $0 &* rowStep &+ $1 &* columnStep &+ c
                var sum = $2 + bias
                if let addend = epilogue.addend { sum += Lanes(loading: addend + place) }
                (epilogue.rectifies ? sum.rectified : sum).store(maps + place)
              }
            })
        }
      }
    }
  }
}

/// Transforms the gradients of outputs to those of products, for 32 channels: `A·dY·Aᵀ`.
private func transformOutputGradients<Filtering: MinimalFiltering>(
  _: Filtering.Type, _ gradMaps: UnsafePointer<Float>, count: Int, lattice: Lattice,
  tiles: TileGrid,
  into products: UnsafeMutablePointer<Float>, matrixStride: Int,
  scratch: UnsafeMutablePointer<Lanes>
) {
  let points = Filtering.points
  let mapCount = lattice.height &* lattice.width &* lattice.channels
  for n in 0..<count {
    let map = gradMaps + n &* mapCount
    for ty in 0..<tiles.rows {
      for tx in 0..<tiles.columns {
        let tile = (n &* tiles.rows &+ ty) &* tiles.columns &+ tx
        for c in stride(from: 0, to: RegisterTile.columns, by: 16) {
          let target = products + tile &* RegisterTile.columns + c
          transformSquare(
            by: Filtering.OutputGradient.self, scratch: scratch,
            read: { i, j in
              lattice.offset(ty &* tileExtent &+ i, tx &* tileExtent &+ j)
                .map { Lanes(loading: map + $0 + c) } ?? .zero
            },
            write: { $2.store(target + ($0 &* points &+ $1) &* matrixStride) })
        }
      }
    }
  }
}

/// `products[ξ] = inputs[ξ] · filters[ξ]` for every ξ, over one panel of 32 filters.
private func multiply(
  _ inputs: UnsafePointer<Float>, inputStride: Int, filters: UnsafePointer<Float>, matrices: Int,
  rows: Int, depth: Int, into products: UnsafeMutablePointer<Float>, productStride: Int
) {
  let columns = RegisterTile.columns
  for product in 0..<matrices {
    let a = inputs + product &* inputStride
    let b = filters + product &* depth &* columns
    let c = products + product &* productStride
    for row in stride(from: 0, to: rows, by: 8) {
      var tile = RegisterTile(startingWith: nil)
      tile.accumulate(
        a + row &* depth, rowStride: depth, stepStride: 1, b, bStride: columns, count: depth)
      tile.store(c + row &* columns, stride: columns)
    }
  }
}

// MARK: Filters

/// Transforms filters for ``winogradConvolution``: `G·g·Gᵀ`, as `[panel, ξ, phase, c, 32 filters]`.
///
/// - Parameters:
///   - filters: `[kernelHeight, kernelWidth, channels, filters]`.
///   - transformed: ``ConvolutionGeometry/winogradFilterCount`` floats.
package func winogradFilters(
  _ filters: UnsafePointer<Float>, geometry g: ConvolutionGeometry,
  into transformed: UnsafeMutablePointer<Float>
) {
  func run<Filtering: MinimalFiltering>(_: Filtering.Type) {
    let points = Filtering.points
    let depth = g.stride &* g.stride &* g.channels
    withUnsafeTemporaryAllocation(of: Lanes.self, capacity: 36) { scratch in
      let scratch = scratch.baseAddress!
      for row in 0..<depth {
        let (phase, channel) = (row / g.channels, row % g.channels)
        let (py, px) = (phase / g.stride, phase % g.stride)
        for f in stride(from: 0, to: g.filters, by: 16) {
          let (panel, column) = (f / RegisterTile.columns, f % RegisterTile.columns)
          let target =
            transformed + (panel &* points &* points &* depth &+ row) &* RegisterTile.columns
            + column
          transformSquare(
            by: Filtering.Filter.self, scratch: scratch,
            read: { t, u in
              let element = (t &* g.stride &+ py) &* g.kernelWidth &+ u &* g.stride &+ px
              return Lanes(loading: filters + (element &* g.channels &+ channel) &* g.filters + f)
            },
            write: { i, j, value in
              value.store(target + (i &* points &+ j) &* depth &* RegisterTile.columns)
            })
        }
      }
    }
  }
  g.winogradTaps == 3 ? run(ThreeTaps.self) : run(TwoTaps.self)
}

/// Transforms filters, turned around, for ``winogradInputGradient``: as
/// `[phase, panel, ξ, f, 32 channels]`.
///
/// - Parameters:
///   - filters: `[kernelHeight, kernelWidth, channels, filters]`.
///   - transformed: ``ConvolutionGeometry/winogradFilterCount`` floats.
package func winogradTurnedFilters(
  _ filters: UnsafePointer<Float>, geometry g: ConvolutionGeometry,
  into transformed: UnsafeMutablePointer<Float>
) {
  func run<Filtering: MinimalFiltering>(_: Filtering.Type) {
    let points = Filtering.points
    withUnsafeTemporaryAllocation(of: Lanes.self, capacity: 36) { scratch in
      let scratch = scratch.baseAddress!
      var panel = transformed
      for phase in 0..<(g.stride &* g.stride) {
        let (py, px) = (phase / g.stride, phase % g.stride)
        for first in stride(from: 0, to: g.channels, by: RegisterTile.columns) {
          for f in 0..<g.filters {
            for c in stride(from: 0, to: RegisterTile.columns, by: 16) {
              let target = panel + f &* RegisterTile.columns + c
              transformSquare(
                by: Filtering.Filter.self, scratch: scratch,
                read: { t, u in
                  let element =
                    ((Filtering.taps &- 1 &- t) &* g.stride &+ py) &* g.kernelWidth
                    &+ (Filtering.taps &- 1 &- u) &* g.stride &+ px
                  let source =
                    filters + (element &* g.channels &+ first &+ c) &* g.filters + f
                  var lanes = Lanes.zero
                  for lane in 0..<16 { lanes[lane] = source[lane &* g.filters] }
                  return lanes
                },
                write: { i, j, value in
                  value.store(target + (i &* points &+ j) &* g.filters &* RegisterTile.columns)
                })
            }
          }
          panel += points &* points &* g.filters &* RegisterTile.columns
        }
      }
    }
  }
  g.winogradTaps == 3 ? run(ThreeTaps.self) : run(TwoTaps.self)
}

// MARK: Forward

/// See ``convolution``.
///
/// - Parameters:
///   - filters: of ``winogradFilters``.
///   - workspace: ``ConvolutionGeometry/winogradForwardWorkspaceCount(count:)`` floats.
package func winogradConvolution(
  _ images: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
  count: Int, geometry g: ConvolutionGeometry, into maps: UnsafeMutablePointer<Float>,
  workspace: UnsafeMutablePointer<Float>
) {
  func run<Filtering: MinimalFiltering>(_ filtering: Filtering.Type) {
    let tiles = TileGrid(height: g.outHeight, width: g.outWidth)
    let depth = g.stride &* g.stride &* g.channels
    let target = Lattice(
      height: g.outHeight, width: g.outWidth, channels: g.filters, top: 0, left: 0, step: 1)
    let area = Workspace<Filtering>(workspace, tiles, count: count, depth: depth)
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
          count: size, lattice: target, extents: (g.outHeight, g.outWidth), tiles: tiles,
          into: maps + first &* g.mapCount + column, scratch: area.scratch)
      }
    }
  }
  g.winogradTaps == 3 ? run(ThreeTaps.self) : run(TwoTaps.self)
}

/// The workspace of a kernel: the transformed inputs, the products of one panel, and some scratch.
private struct Workspace<Filtering: MinimalFiltering> {
  let inputs: UnsafeMutablePointer<Float>
  let products: UnsafeMutablePointer<Float>
  let scratch: UnsafeMutablePointer<Lanes>
  let zeros: UnsafePointer<Float>
  /// What is behind these.
  let rest: UnsafeMutablePointer<Float>
  let inputStride: Int
  let productStride: Int
  let imagesAtOnce: Int
  let depth: Int

  var matrices: Int { Filtering.points &* Filtering.points }

  init(_ memory: UnsafeMutablePointer<Float>, _ tiles: TileGrid, count: Int, depth: Int) {
    imagesAtOnce = tiles.imagesAtOnce(
      count, tileFloats: Filtering.points &* Filtering.points &* depth)
    self.depth = depth
    let rows = TransformedTiles.paddedRows(tiles.count &* imagesAtOnce)
    inputStride = TransformedTiles.stride(rows, depth)
    productStride = TransformedTiles.stride(rows, RegisterTile.columns)
    scratch = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: Lanes.self)
    let zeros = memory + scratchFloats
    zeros.update(repeating: 0, count: depth)
    self.zeros = UnsafePointer(zeros)
    inputs = zeros + depth
    let matrices = Filtering.points &* Filtering.points
    products = inputs + matrices &* inputStride
    rest = products + matrices &* productStride
  }

  /// Transforms the inputs of tiles for every phase of the stride; the phases' channels are the rows of
  /// the reduction.
  @inline(__always)
  func transformPhases(
    _ images: UnsafePointer<Float>, count: Int, geometry g: ConvolutionGeometry, tiles: TileGrid,
    store: (_ matrix: UnsafeMutablePointer<Float>, _ tile: Int, _ row: Int, Lanes) -> Void
  ) {
    for phase in 0..<(g.stride &* g.stride) {
      let lattice = Lattice(
        height: g.height, width: g.width, channels: g.channels,
        top: phase / g.stride &- g.padding.top, left: phase % g.stride &- g.padding.left,
        step: g.stride)
      let firstRow = phase &* g.channels
      transformInputs(
        Filtering.self, images, count: count, lattice: lattice, tiles: tiles, zeros: zeros,
        scratch: scratch
      ) { product, tile, channel, value in
        store(inputs + product &* inputStride, tile, firstRow &+ channel, value)
      }
    }
  }

  func multiply(_ filters: UnsafePointer<Float>, rows: Int) {
    Kernels.multiply(
      inputs, inputStride: inputStride, filters: filters, matrices: matrices, rows: rows,
      depth: depth, into: products, productStride: productStride)
  }
}

// MARK: Input gradient

/// See ``convolutionInputGradient``.
///
/// - Parameters:
///   - filters: of ``winogradTurnedFilters``.
///   - workspace: ``ConvolutionGeometry/winogradInputGradientWorkspaceCount(count:)`` floats.
package func winogradInputGradient(
  _ maps: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
  count: Int, geometry g: ConvolutionGeometry, into images: UnsafeMutablePointer<Float>,
  workspace: UnsafeMutablePointer<Float>
) {
  func run<Filtering: MinimalFiltering>(_ filtering: Filtering.Type) {
    let columns = RegisterTile.columns
    var phaseFilters = filters
    for (y, x) in g.phases {
      let tiles = TileGrid(height: y.count, width: x.count)
      let area = Workspace<Filtering>(workspace, tiles, count: count, depth: g.filters)
      let source = Lattice(
        height: g.outHeight, width: g.outWidth, channels: g.filters,
        top: y.base &- Filtering.taps &+ 1, left: x.base &- Filtering.taps &+ 1, step: 1)
      let target = Lattice(
        height: g.height, width: g.width, channels: g.channels, top: y.first, left: x.first,
        step: g.stride)
      for first in stride(from: 0, to: count, by: area.imagesAtOnce) {
        let size = min(area.imagesAtOnce, count &- first)
        transformInputs(
          filtering, maps + first &* g.mapCount, count: size, lattice: source, tiles: tiles,
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
            count: size, lattice: target,
            extents: (y.count, x.count), tiles: tiles,
            into: images + first &* g.imageCount + panel &* columns, scratch: area.scratch)
        }
      }
      phaseFilters += area.matrices &* g.channels &* g.filters
    }
  }
  g.winogradTaps == 3 ? run(ThreeTaps.self) : run(TwoTaps.self)
}

// MARK: Filter gradient

/// See ``convolutionFilterGradient``: `Gᵀ·(Σ over tiles of (Bᵀ·d·B)ᵀ · (A·dY·Aᵀ))·G`, the adjoint of
/// ``winogradConvolution``.
///
/// - Parameter workspace: ``ConvolutionGeometry/winogradFilterGradientWorkspaceCount(count:)`` floats.
package func winogradFilterGradient(
  _ images: UnsafePointer<Float>, gradMaps: UnsafePointer<Float>,
  count: Int, geometry g: ConvolutionGeometry, into gradFilters: UnsafeMutablePointer<Float>,
  workspace: UnsafeMutablePointer<Float>
) {
  if count == 0 { gradFilters.update(repeating: 0, count: g.patchCount &* g.filters) }
  func run<Filtering: MinimalFiltering>(_ filtering: Filtering.Type) {
    let (points, columns) = (Filtering.points, RegisterTile.columns)
    let tiles = TileGrid(height: g.outHeight, width: g.outWidth)
    let depth = g.stride &* g.stride &* g.channels
    let area = Workspace<Filtering>(workspace, tiles, count: count, depth: depth)
    let source = Lattice(
      height: g.outHeight, width: g.outWidth, channels: g.filters, top: 0, left: 0, step: 1)
    let sums = area.rest
    for first in stride(from: 0, to: count, by: area.imagesAtOnce) {
      let size = min(area.imagesAtOnce, count &- first)
      let rows = size &* tiles.count
      // Blocks of eight rows of the reduction, each a tile's left factor without a gap.
      area.transformPhases(
        images + first &* g.imageCount, count: size, geometry: g, tiles: tiles
      ) { matrix, tile, row, value in
        let target = UnsafeMutableRawPointer(matrix + row &* rows + tile &* 8)
        target.storeBytes(of: value.lowHalf, as: SIMD8<Float>.self)
        target.storeBytes(of: value.highHalf, toByteOffset: 32 &* rows, as: SIMD8<Float>.self)
      }
      for column in stride(from: 0, to: g.filters, by: columns) {
        transformOutputGradients(
          filtering, gradMaps + first &* g.mapCount + column, count: size, lattice: source,
          tiles: tiles, into: area.products, matrixStride: area.productStride,
          scratch: area.scratch)
        for row in stride(from: 0, to: depth, by: depthAtOnce) {
          for product in 0..<(points &* points) {
            let b = area.products + product &* area.productStride
            for block in stride(from: 0, to: depthAtOnce, by: 8) {
              var tile = RegisterTile(startingWith: nil)
              tile.accumulate(
                area.inputs + product &* area.inputStride + (row &+ block) &* rows, rowStride: 1,
                stepStride: 8, b, bStride: columns, count: rows)
              tile.store(
                sums + (product &* depthAtOnce &+ block) &* columns, stride: columns)
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

/// `gradFilters (+)= Gᵀ·sums·G` for 32 rows of the reduction and 32 filters.
private func addTransformedBack<Filtering: MinimalFiltering>(
  _: Filtering.Type, _ sums: UnsafePointer<Float>, row: Int, column: Int,
  geometry g: ConvolutionGeometry, startsAtZero: Bool,
  into gradFilters: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Lanes>
) {
  let points = Filtering.points
  for r in 0..<depthAtOnce {
    let (phase, channel) = ((row &+ r) / g.channels, (row &+ r) % g.channels)
    let (py, px) = (phase / g.stride, phase % g.stride)
    for c in stride(from: 0, to: RegisterTile.columns, by: 16) {
      transformSquare(
        by: Filtering.FilterGradient.self, scratch: scratch,
        read: { i, j in
          Lanes(
            loading: sums + ((i &* points &+ j) &* depthAtOnce &+ r) &* RegisterTile.columns + c)
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
