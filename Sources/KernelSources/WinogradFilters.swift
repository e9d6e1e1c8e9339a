import KernelTypes

// The filter transforms of the Winograd convolution (WinogradConvolution.swift), computed once a step.

extension Module {
  /// Transforms filters for ``winogradConvolution``: `G·g·Gᵀ`, as `[panel, ξ, phase, c, columns]`.
  ///
  /// - Parameters:
  ///   - filters: `[kernelHeight, kernelWidth, channels, filters]`.
  ///   - transformed: ``ConvolutionGeometry/winogradFilterCount`` floats.
  static func winogradFilters(
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

  /// Transforms filters, rotated by 180°, for ``winogradInputGradient``: as
  /// `[phase, panel, ξ, f, columns]`.
  ///
  /// - Parameters:
  ///   - filters: `[kernelHeight, kernelWidth, channels, filters]`.
  ///   - transformed: ``ConvolutionGeometry/winogradFilterCount`` floats.
  static func winogradFlippedFilters(
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
}
