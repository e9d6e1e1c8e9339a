// The tiles of Winograd's convolution (WinogradConvolution.swift): where they lie in images and in memory,
// and the transforms of their inputs, outputs and gradients.

/// Tiles of 4×4 positions over a map.
struct TileGrid {
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
enum TransformedTiles {
  /// Whole register tiles.
  static func paddedRows(_ rows: Int) -> Int { (rows &+ 7) & ~7 }

  /// Floats between two of the P² matrices. Not a power of two: the numbers of a tile would fall on the
  /// same place of the cache.
  static func stride(_ rows: Int, _ columns: Int) -> Int { rows &* columns &+ 16 }
}

/// Every s-th row and column of some images, beginning at an origin that may lie outside.
struct Lattice {
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

/// Transforms the inputs of tiles: `into[ξ, tile, c] = (Bᵀ·d·B)[ξ]`.
///
/// - Parameters:
///   - images: the first of `count`; the lattice tells where the tiles' inputs lie in them.
///   - zeros: as many as there are channels, for what lies outside an image.
///   - store: takes 16 channels, from the number of the tile and of the first channel.
@inline(__always)
func transformInputs<Filtering: MinimalFiltering>(
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
func transformOutputs<Filtering: MinimalFiltering>(
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
                if let residual = epilogue.residual { sum += Lanes(loading: residual + place) }
                (epilogue.relu ? sum.rectified : sum).store(maps + place)
              }
            })
        }
      }
    }
  }
}

/// Transforms the gradients of outputs to those of products, for 32 channels: `A·dY·Aᵀ`.
func transformOutputGradients<Filtering: MinimalFiltering>(
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
