import KernelTypes

// The tiles of the Winograd convolution (WinogradConvolution.swift): where they are in images and in memory,
// and the transforms of their inputs, outputs and gradients.

/// Tiles of 4×4 positions over a feature map.
struct TileGrid {
  let rows: Int
  let columns: Int

  init(height: Int, width: Int) {
    rows = (height &+ tileExtent &- 1) / tileExtent
    columns = (width &+ tileExtent &- 1) / tileExtent
  }

  /// Tiles of one feature map.
  var count: Int { rows &* columns }

  /// Images whose tiles share one product: as many as keep the transformed inputs in a core's cache.
  ///
  /// - Parameter tileFloats: floats of a transformed tile.
  func imagesAtOnce(_ images: Int, tileFloats: Int) -> Int {
    let cacheFloats = 160 << 10
    return min(max(1, images), max(1, cacheFloats / (max(1, count) &* tileFloats)))
  }
}

/// The memory layout of transformed tiles.
enum TransformedTiles {
  /// Floats between two of the P² matrices. Not a power of two, or the numbers of a tile would map to the
  /// same place in the cache.
  static func stride(_ rows: Int, _ columns: Int) -> Int { rows &* columns &+ 16 }
}

/// A strided view of images: every `stride`-th row and column, from an origin that may lie outside the image.
struct StridedView {
  let height: Int
  let width: Int
  let channels: Int
  let top: Int
  let left: Int
  let stride: Int

  /// The offset, in floats from the start of an image, of row y and column x of the view; nil if that pixel
  /// lies outside the image.
  @inline(__always)
  func offset(_ y: Int, _ x: Int) -> Int? {
    let (row, column) = (top &+ y &* stride, left &+ x &* stride)
    guard row >= 0, row < height, column >= 0, column < width else { return nil }
    return (row &* width &+ column) &* channels
  }
}

/// Transforms the inputs of tiles: `into[ξ, tile, c] = (Bᵀ·d·B)[ξ]`.
///
/// - Parameters:
///   - images: `count` images; the view says where the tiles' inputs lie in them.
///   - zeros: a zero for each channel, read for pixels outside an image.
///   - store: receives 16 channels, with the numbers of the product, the tile and the first channel.
@inline(__always)
func transformInputs<Filtering: MinimalFiltering>(
  _: Filtering.Type, _ images: UnsafePointer<Float>, count: Int, view: StridedView, tiles: TileGrid,
  zeros: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Lanes>,
  store: (_ product: Int, _ tile: Int, _ channel: Int, Lanes) -> Void
) {
  let points = Filtering.points
  let imageCount = view.height &* view.width &* view.channels
  withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: points &* points) {
    let pixels = $0.baseAddress!
    for n in 0..<count {
      let image = images + n &* imageCount
      for ty in 0..<tiles.rows {
        for tx in 0..<tiles.columns {
          for i in 0..<points {
            for j in 0..<points {
              let offset = view.offset(ty &* tileExtent &+ i, tx &* tileExtent &+ j)
              pixels[i &* points &+ j] = offset.map { image + $0 } ?? zeros
            }
          }
          let tile = (n &* tiles.rows &+ ty) &* tiles.columns &+ tx
          for c in stride(from: 0, to: view.channels, by: 16) {
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

/// Transforms products back to outputs, `Aᵀ·m·A`, and writes 32 channels of them after the epilogue.
func transformOutputs<Filtering: MinimalFiltering>(
  _: Filtering.Type, _ products: UnsafePointer<Float>, matrixStride: Int,
  epilogue: ConvolutionEpilogue, count: Int, view: StridedView, extents: (height: Int, width: Int),
  tiles: TileGrid, into maps: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Lanes>
) {
  let points = Filtering.points
  let mapCount = view.height &* view.width &* view.channels
  for n in 0..<count {
    for ty in 0..<tiles.rows {
      let rows = min(tileExtent, extents.height &- ty &* tileExtent)
      for tx in 0..<tiles.columns {
        let columns = min(tileExtent, extents.width &- tx &* tileExtent)
        let tile = (n &* tiles.rows &+ ty) &* tiles.columns &+ tx
        let (y, x) = (ty &* tileExtent &* view.stride, tx &* tileExtent &* view.stride)
        let origin =
          n &* mapCount
          &+ ((view.top &+ y) &* view.width &+ view.left &+ x) &* view.channels
        let (rowStep, columnStep) = (
          view.stride &* view.width &* view.channels, view.stride &* view.channels
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
                (epilogue.relu ? sum.relu : sum).store(maps + place)
              }
            })
        }
      }
    }
  }
}

/// Transforms the gradients of outputs to those of products, for the channels of a panel: `A·dY·Aᵀ`.
func transformOutputGradients<Filtering: MinimalFiltering>(
  _: Filtering.Type, _ gradOutput: UnsafePointer<Float>, count: Int, view: StridedView,
  tiles: TileGrid,
  into products: UnsafeMutablePointer<Float>, matrixStride: Int,
  scratch: UnsafeMutablePointer<Lanes>
) {
  let points = Filtering.points
  let mapCount = view.height &* view.width &* view.channels
  for n in 0..<count {
    let map = gradOutput + n &* mapCount
    for ty in 0..<tiles.rows {
      for tx in 0..<tiles.columns {
        let tile = (n &* tiles.rows &+ ty) &* tiles.columns &+ tx
        for c in stride(from: 0, to: RegisterTile.columns, by: 16) {
          let target = products + tile &* RegisterTile.columns + c
          transformSquare(
            by: Filtering.OutputGradient.self, scratch: scratch,
            read: { i, j in
              view.offset(ty &* tileExtent &+ i, tx &* tileExtent &+ j)
                .map { Lanes(loading: map + $0 + c) } ?? .zero
            },
            write: { $2.store(target + ($0 &* points &+ $1) &* matrixStride) })
        }
      }
    }
  }
}
