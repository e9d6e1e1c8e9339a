import KernelTypes

/// Floats of scratch memory for the up to 6×6 vectors between the two passes of a transform.
let scratchFloats = 36 * 16

/// The workspace of a kernel: the transformed inputs, the products of one panel, and scratch memory.
struct WinogradWorkspace<Filtering: MinimalFiltering> {
  let inputs: UnsafeMutablePointer<Float>
  let products: UnsafeMutablePointer<Float>
  let scratch: UnsafeMutablePointer<Lanes>
  let zeros: UnsafePointer<Float>
  /// Memory after the products; the filter gradient keeps its sums there.
  let rest: UnsafeMutablePointer<Float>
  let inputStride: Int
  let productStride: Int
  /// Images whose tiles share one product.
  let imagesAtOnce: Int
  /// The length of the reduction.
  let depth: Int

  var matrices: Int { Filtering.points &* Filtering.points }

  /// - Parameter tiles: those of an image; if its phases have different ones, those of the largest.
  init(_ memory: UnsafeMutablePointer<Float>, _ tiles: TileGrid, count: Int, depth: Int) {
    imagesAtOnce = tiles.imagesAtOnce(
      count, tileFloats: Filtering.points &* Filtering.points &* depth)
    self.depth = depth
    let rows = RegisterTile.paddedRows(tiles.count &* imagesAtOnce)
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
      let view = StridedView(
        height: g.height, width: g.width, channels: g.channels,
        top: phase / g.stride &- g.padding.top, left: phase % g.stride &- g.padding.left,
        stride: g.stride)
      let firstRow = phase &* g.channels
      transformInputs(
        Filtering.self, images, count: count, view: view, tiles: tiles, zeros: zeros,
        scratch: scratch
      ) { product, tile, channel, value in
        store(inputs + product &* inputStride, tile, firstRow &+ channel, value)
      }
    }
  }

  /// `products[ξ] = inputs[ξ] · filters[ξ]` for every ξ, over one panel of filters.
  func multiply(_ filters: UnsafePointer<Float>, rows: Int) {
    let columns = RegisterTile.columns
    for product in 0..<matrices {
      let a = inputs + product &* inputStride
      let b = filters + product &* depth &* columns
      let c = products + product &* productStride
      for row in stride(from: 0, to: rows, by: RegisterTile.rows) {
        var tile = RegisterTile(startingWith: nil)
        tile.accumulate(
          a + row &* depth, rowStride: depth, stepStride: 1, b, bStride: columns, count: depth)
        tile.store(c + row &* columns, stride: columns)
      }
    }
  }
}
