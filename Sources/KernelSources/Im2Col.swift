import KernelTypes

extension Module {
  /// Lays out the patch under the kernel at every output position as a row.
  ///
  ///     columns[(n, y, x), (i, j, c)] = images[n, y·stride + i − top, x·stride + j − left, c]
  ///
  /// with zeros outside the image. With channels last a kernel row is one run of `kernelWidth·C`
  /// floats, so the work is copying runs.
  ///
  /// - Parameters:
  ///   - images: `[count, height, width, channels]`.
  ///   - columns: `[count·outHeight·outWidth, kernelHeight·kernelWidth·channels]`, overwritten.
  package static func im2col(
    _ images: UnsafePointer<Float>, count: Int, geometry g: ConvolutionGeometry,
    into columns: UnsafeMutablePointer<Float>
  ) {
    let run = g.kernelWidth &* g.channels
    var row = columns
    forEachPatch(count: count, geometry: g) { image, firstY, firstX, clipped in
      for i in 0..<g.kernelHeight {
        let y = firstY &+ i
        let target = row + i &* run
        if y < 0 || y >= g.height {
          target.update(repeating: 0, count: run)
        } else {
          let line = images + (image &* g.height &+ y) &* g.width &* g.channels
          let before = clipped.lowerBound &* g.channels
          let inside = clipped.count &* g.channels
          target.update(repeating: 0, count: before)
          (target + before).update(
            from: line + (firstX &+ clipped.lowerBound) &* g.channels, count: inside)
          (target + before + inside).update(repeating: 0, count: run &- before &- inside)
        }
      }
      row += g.patchCount
    }
  }

  /// Adds every row of the column matrix back to the patch it came from: the transpose of ``im2col``.
  ///
  ///     images[n, y·stride + i − top, x·stride + j − left, c] += columns[(n, y, x), (i, j, c)]
  ///
  /// Rows are added in ascending order; what falls outside the image is dropped.
  ///
  /// - Parameters:
  ///   - columns: `[count·outHeight·outWidth, kernelHeight·kernelWidth·channels]`.
  ///   - images: `[count, height, width, channels]`, added to.
  ///   - stride: floats between two rows of `columns`.
  package static func col2im(
    _ columns: UnsafePointer<Float>, count: Int, geometry g: ConvolutionGeometry,
    into images: UnsafeMutablePointer<Float>, stride: Int
  ) {
    let run = g.kernelWidth &* g.channels
    var row = columns
    forEachPatch(count: count, geometry: g) { image, firstY, firstX, clipped in
      for i in 0..<g.kernelHeight {
        let y = firstY &+ i
        if y < 0 || y >= g.height { continue }
        let line = images + (image &* g.height &+ y) &* g.width &* g.channels
        let target = line + (firstX &+ clipped.lowerBound) &* g.channels
        add(
          target, row + i &* run + clipped.lowerBound &* g.channels,
          count: clipped.count &* g.channels, into: target)
      }
      row += stride
    }
  }
}

/// Calls `body` for each output position in order, with the image, the top left corner of its patch, and
/// the kernel columns that lie inside the image.
@inline(__always)
private func forEachPatch(
  count: Int, geometry g: ConvolutionGeometry,
  _ body: (_ image: Int, _ firstY: Int, _ firstX: Int, _ clipped: Range<Int>) -> Void
) {
  let outHeight = g.outHeight
  let outWidth = g.outWidth
  for image in 0..<count {
    for outY in 0..<outHeight {
      let firstY = outY &* g.stride &- g.padding.top
      for outX in 0..<outWidth {
        let firstX = outX &* g.stride &- g.padding.left
        let lower = min(max(0, -firstX), g.kernelWidth)
        let upper = max(lower, min(g.kernelWidth, g.width &- firstX))
        body(image, firstY, firstX, lower..<upper)
      }
    }
  }
}
