import KernelTypes

extension Module {
  /// Flips filters (rotates them by 180°) and swaps their channels:
  /// `result[kernelHeight − 1 − i, kernelWidth − 1 − j, c, f] = filters[i, j, f, c]`.
  ///
  /// - Parameters:
  ///   - filters: those of the mirrored convolution, `[kernelHeight, kernelWidth, filters, channels]`.
  ///   - result: those of `geometry`, `[kernelHeight, kernelWidth, channels, filters]`, overwritten.
  static func mirrorFilters(
    _ filters: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>,
    of g: ConvolutionGeometry
  ) {
    let elements = g.kernelHeight &* g.kernelWidth
    let size = g.channels &* g.filters
    for i in 0..<elements {
      transpose(
        filters + i &* size, rows: g.filters, columns: g.channels,
        into: result + (elements &- 1 &- i) &* size)
    }
  }
}
