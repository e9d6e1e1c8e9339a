import KernelTypes

// Convolution without a column matrix. With channels last, a row of the kernel covers one run of
// `kernelWidth·C` floats, and the runs of neighbouring output positions begin `stride·C` floats apart. So
// a row of output positions is a product of overlapping rows, `a(x, k) = image[x·stride·C + k]`, one for
// each row of the kernel, summed in registers (``RegisterTile``). An image is copied once, into a padded
// buffer, instead of once for each element of the kernel.
//
// ``ConvolutionPlan`` says which shapes these kernels support. They read filters that were packed for them. The reference
// kernels are in Im2ColConvolution.swift.

extension ConvolutionGeometry {
  var directForwardWorkspaceCount: Int { paddedCount }

  var directInputGradientWorkspaceCount: Int { PaddedMap(self).count }

  func directFilterGradientWorkspaceCount(count: Int) -> Int {
    min(count, imagesPerDirectReduction) * paddedCount + RegisterTile.rows
  }

  fileprivate var paddedRow: Int { (width + padding.left + padding.right) * channels }
  fileprivate var paddedCount: Int { (height + padding.top + padding.bottom) * paddedRow }

  /// Images that the filter gradient is summed over before the sums leave the registers: few enough for a
  /// core's cache, many enough that the sums are rarely stored and loaded.
  fileprivate var imagesPerDirectReduction: Int {
    let cacheFloats = 1 << 17
    return max(1, cacheFloats / max(1, paddedCount + mapCount))
  }
}

// MARK: Forward

extension Module {
  /// See ``im2colConvolution``.
  ///
  /// - Parameters:
  ///   - filters: packed by ``directFilters``.
  ///   - workspace: ``ConvolutionGeometry/directForwardWorkspaceCount`` floats.
  static func directConvolution(
    _ images: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
    count: Int, geometry g: ConvolutionGeometry, into maps: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    let padded = workspace
    let run = g.kernelWidth &* g.channels
    let kernel = RowProduct(
      rows: g.kernelHeight, run: run, rowStride: g.paddedRow, step: g.stride &* g.channels,
      panelStride: g.patchCount &* RegisterTile.columns, panels: g.filters / RegisterTile.columns,
      outputStep: g.filters)
    for n in 0..<count {
      pad(images + n &* g.imageCount, geometry: g, into: padded)
      for y in 0..<g.outHeight {
        let place = n &* g.mapCount &+ y &* g.outWidth &* g.filters
        kernel(
          padded + y &* g.stride &* g.paddedRow, filters, epilogue.fromResult(place),
          positions: g.outWidth, into: maps + place)
      }
    }
  }
}

/// Computes a row of output positions from `rows` rows of an image.
private struct RowProduct {
  /// Rows of the kernel, and the floats that each of them covers.
  let rows: Int
  let run: Int
  /// Floats between two rows of the image.
  let rowStride: Int
  /// Floats between the runs of two neighbouring positions.
  let step: Int
  /// Panels of filters, and the floats between two of them.
  let panelStride: Int
  let panels: Int
  /// Floats between two positions of the output.
  let outputStep: Int

  /// Overwrites `positions` output positions, at least the rows of a tile.
  func callAsFunction(
    _ image: UnsafePointer<Float>, _ filters: UnsafePointer<Float>, _ epilogue: ConvolutionEpilogue,
    positions: Int, into output: UnsafeMutablePointer<Float>
  ) {
    for panel in 0..<panels {
      let columns = panel &* RegisterTile.columns
      let b = filters + panel &* panelStride
      var x = 0
      while x < positions {
        // The last tile overlaps its neighbour if the width is not a multiple of its rows.
        let first = min(x, positions &- RegisterTile.rows)
        var tile = RegisterTile(startingWith: epilogue.bias.map { $0 + columns })
        for i in 0..<rows {
          tile.accumulate(
            image + i &* rowStride + first &* step, rowStride: step, stepStride: 1,
            b + i &* run &* RegisterTile.columns, bStride: RegisterTile.columns, count: run)
        }
        if let residual = epilogue.residual {
          tile.add(residual + first &* outputStep + columns, stride: outputStep)
        }
        if epilogue.relu { tile.relu() }
        tile.store(output + first &* outputStep + columns, stride: outputStep)
        x &+= RegisterTile.rows
      }
    }
  }
}

extension Module {
  /// Packs filters into panels of a tile's columns, each contiguous:
  /// `[panel, kernelHeight, kernelWidth, channels, columns]`.
  ///
  /// - Parameters:
  ///   - filters: `[kernelHeight, kernelWidth, channels, filters]`.
  ///   - panels: the same number of floats, overwritten.
  static func directFilters(
    _ filters: UnsafePointer<Float>, geometry g: ConvolutionGeometry,
    into panels: UnsafeMutablePointer<Float>
  ) {
    let (rows, width) = (g.patchCount, RegisterTile.columns)
    for panel in 0..<(g.filters / width) {
      for row in 0..<rows {
        (panels + (panel &* rows &+ row) &* width).update(
          from: filters + row &* g.filters + panel &* width, count: width)
      }
    }
  }
}

/// Copies an image into a buffer that is padded with zeros.
private func pad(
  _ image: UnsafePointer<Float>, geometry g: ConvolutionGeometry,
  into padded: UnsafeMutablePointer<Float>
) {
  padded.update(repeating: 0, count: g.paddedCount)
  for y in 0..<g.height {
    (padded + (y &+ g.padding.top) &* g.paddedRow + g.padding.left &* g.channels).update(
      from: image + y &* g.width &* g.channels, count: g.width &* g.channels)
  }
}

// MARK: Input gradient

/// A feature map, padded with the zeros that the phases need.
private struct PaddedMap {
  let top: Int
  let left: Int
  let rows: Int
  /// Floats of a row.
  let row: Int

  init(_ g: ConvolutionGeometry) {
    top = (g.kernelHeight &- 1) / g.stride
    left = (g.kernelWidth &- 1) / g.stride
    let lastRow = (g.height &- 1 &+ g.padding.top) / g.stride
    let lastColumn = (g.width &- 1 &+ g.padding.left) / g.stride
    rows = top &+ max(g.outHeight, lastRow &+ 1)
    row = (left &+ max(g.outWidth, lastColumn &+ 1)) &* g.filters
  }

  var count: Int { rows * row }

  func fill(
    _ padded: UnsafeMutablePointer<Float>, from map: UnsafePointer<Float>, _ g: ConvolutionGeometry
  ) {
    padded.update(repeating: 0, count: count)
    for y in 0..<g.outHeight {
      (padded + (y &+ top) &* row + left &* g.filters).update(
        from: map + y &* g.outWidth &* g.filters, count: g.outWidth &* g.filters)
    }
  }
}

extension Module {
  /// See ``im2colInputGradient``.
  ///
  /// - Parameters:
  ///   - filters: packed by ``directFlippedFilters``.
  ///   - workspace: ``ConvolutionGeometry/directInputGradientWorkspaceCount`` floats.
  static func directInputGradient(
    _ maps: UnsafePointer<Float>, filters: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
    count: Int, geometry g: ConvolutionGeometry, into images: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    let padded = workspace
    let map = PaddedMap(g)
    for n in 0..<count {
      map.fill(padded, from: maps + n &* g.mapCount, g)
      var packed = filters
      g.forEachPhase { y, x in
        let run = x.elements &* g.filters
        let kernel = RowProduct(
          rows: y.elements, run: run, rowStride: map.row, step: g.filters,
          panelStride: y.elements &* run &* RegisterTile.columns,
          panels: g.channels / RegisterTile.columns, outputStep: g.stride &* g.channels)
        let left = (x.base &- x.elements &+ 1 &+ map.left) &* g.filters
        for q in 0..<y.count {
          let top = y.base &+ q &- y.elements &+ 1 &+ map.top
          let position = (y.first &+ q &* g.stride) &* g.width &+ x.first
          let place = n &* g.imageCount &+ position &* g.channels
          kernel(
            padded + top &* map.row + left, packed, epilogue.fromResult(place), positions: x.count,
            into: images + place)
        }
        packed += y.elements &* run &* g.channels
      }
    }
  }

  /// The filters of every phase, flipped, as panels of a tile's columns:
  /// `panel[t, u, f, c] = filters[y.element + stride·(Ty − 1 − t), x.element + stride·(Tx − 1 − u), c, f]`
  /// with Ty and Tx the phase's numbers of taps.
  ///
  /// - Parameters:
  ///   - filters: `[kernelHeight, kernelWidth, channels, filters]`.
  ///   - panels: the same number of floats, overwritten.
  static func directFlippedFilters(
    _ filters: UnsafePointer<Float>, geometry g: ConvolutionGeometry,
    into panels: UnsafeMutablePointer<Float>
  ) {
    let width = RegisterTile.columns
    var target = panels
    g.forEachPhase { y, x in
      for panel in 0..<(g.channels / width) {
        for t in 0..<y.elements {
          let i = y.element &+ g.stride &* (y.elements &- 1 &- t)
          for u in 0..<x.elements {
            let j = x.element &+ g.stride &* (x.elements &- 1 &- u)
            let source =
              filters + ((i &* g.kernelWidth &+ j) &* g.channels &+ panel &* width) &* g.filters
            transpose(source, rows: width, columns: g.filters, into: target)
            target += width &* g.filters
          }
        }
      }
    }
  }
}

// MARK: Filter gradient

extension Module {
  /// See ``im2colFilterGradient``.
  ///
  /// - Parameter workspace: ``ConvolutionGeometry/directFilterGradientWorkspaceCount(count:)`` floats.
  static func directFilterGradient(
    _ images: UnsafePointer<Float>, gradOutput: UnsafePointer<Float>,
    count: Int, geometry g: ConvolutionGeometry, into gradFilters: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    if count == 0 { gradFilters.update(repeating: 0, count: g.filterCount) }
    let atOnce = g.imagesPerDirectReduction
    for first in stride(from: 0, to: count, by: atOnce) {
      let size = min(atOnce, count &- first)
      for n in 0..<size {
        pad(
          images + (first &+ n) &* g.imageCount, geometry: g, into: workspace + n &* g.paddedCount)
      }
      addFilterGradient(
        workspace, gradOutput: gradOutput + first &* g.mapCount, count: size, geometry: g,
        startsAtZero: first == 0, into: gradFilters)
    }
  }
}

/// Sums the gradient over `count` padded images; the reduction runs over their output positions.
private func addFilterGradient(
  _ padded: UnsafePointer<Float>, gradOutput: UnsafePointer<Float>, count: Int,
  geometry g: ConvolutionGeometry, startsAtZero: Bool, into gradFilters: UnsafeMutablePointer<Float>
) {
  let run = g.kernelWidth &* g.channels
  for i in 0..<g.kernelHeight {
    for column in stride(from: 0, to: g.filters, by: RegisterTile.columns) {
      for k in stride(from: 0, to: run, by: RegisterTile.rows) {
        let target = gradFilters + (i &* run &+ k) &* g.filters + column
        let rows = min(RegisterTile.rows, run &- k)
        var tile =
          startsAtZero
          ? RegisterTile(startingWith: nil)
          : RegisterTile(loading: target, stride: g.filters, rows: rows)
        for n in 0..<count {
          for y in 0..<g.outHeight {
            tile.accumulate(
              padded + n &* g.paddedCount + (y &* g.stride &+ i) &* g.paddedRow + k,
              rowStride: 1, stepStride: g.stride &* g.channels,
              gradOutput + n &* g.mapCount + y &* g.outWidth &* g.filters + column,
              bStride: g.filters, count: g.outWidth)
          }
        }
        tile.store(target, stride: g.filters, rows: rows)
      }
    }
  }
}
