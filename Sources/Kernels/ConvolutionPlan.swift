/// How a convolution is computed. Each way takes fewer shapes than the one before, and is faster on them.
package enum ConvolutionAlgorithm: Int, CaseIterable, Sendable {
  /// The reference: Convolution.swift.
  case im2col
  /// DirectConvolution.swift, and for small maps and few channels ColumnConvolution.swift.
  case direct
  /// WinogradConvolution.swift.
  case winograd
}

/// What is computed of a convolution.
package enum ConvolutionPass: CaseIterable, Sendable {
  /// Images and filters to maps.
  case forward
  /// Maps and filters to images: the gradient with respect to the images, or a transposed convolution.
  case inputGradient
  /// Images and the gradient of the maps to that of the filters.
  case filterGradient
}

/// The kernel for one pass of a convolution: the one place that knows which there are.
package struct ConvolutionPlan: Hashable, Sendable {
  package let geometry: ConvolutionGeometry
  package let pass: ConvolutionPass
  package let algorithm: ConvolutionAlgorithm

  /// Chooses the fastest algorithm that takes the shape, of those not beyond `limit`.
  package init(
    _ geometry: ConvolutionGeometry, _ pass: ConvolutionPass,
    upTo limit: ConvolutionAlgorithm = .winograd
  ) {
    self.geometry = geometry
    self.pass = pass
    algorithm =
      ConvolutionAlgorithm.allCases.last {
        $0.rawValue <= limit.rawValue && Self.suits(geometry, pass, $0)
      } ?? .im2col
  }

  private static func suits(
    _ g: ConvolutionGeometry, _ pass: ConvolutionPass, _ algorithm: ConvolutionAlgorithm
  ) -> Bool {
    switch (algorithm, pass) {
    case (.im2col, _): true
    case (.direct, .forward): g.suitsDirectForward || g.suitsColumnForward
    case (.direct, .inputGradient): g.suitsDirectInputGradient || g.suitsColumnInputGradient
    case (.direct, .filterGradient): g.suitsDirectFilterGradient
    case (.winograd, .forward): g.suitsWinogradForward
    case (.winograd, .inputGradient): g.suitsWinogradInputGradient
    case (.winograd, .filterGradient): g.suitsWinogradFilterGradient
    }
  }

  /// Whether the direct kernels leave the shape to those over a column matrix.
  private var needsColumns: Bool {
    switch pass {
    case .forward: !geometry.suitsDirectForward
    case .inputGradient: !geometry.suitsDirectInputGradient
    case .filterGradient: false
    }
  }

  /// Floats of the filters in the form that the kernel reads; nil where it reads them as they are.
  package var packedFilterCount: Int? {
    switch (algorithm, pass) {
    case (.im2col, _), (_, .filterGradient): nil
    case (.direct, .inputGradient) where needsColumns: geometry.columnTurnedFilterCount
    case (.direct, _): geometry.patchCount * geometry.filters
    case (.winograd, _): geometry.winogradFilterCount
    }
  }

  /// Brings filters `[kernelHeight, kernelWidth, channels, filters]` into the form that the kernel
  /// reads: worth doing once for many calls.
  ///
  /// - Parameter packed: ``packedFilterCount`` floats.
  package func packFilters(
    _ filters: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>
  ) {
    switch (algorithm, pass) {
    case (.im2col, _), (_, .filterGradient): break
    case (.direct, .forward): directFilters(filters, geometry: geometry, into: packed)
    case (.direct, .inputGradient) where needsColumns:
      columnTurnedFilters(filters, geometry: geometry, into: packed)
    case (.direct, .inputGradient): directTurnedFilters(filters, geometry: geometry, into: packed)
    case (.winograd, .forward): winogradFilters(filters, geometry: geometry, into: packed)
    case (.winograd, .inputGradient):
      winogradTurnedFilters(filters, geometry: geometry, into: packed)
    }
  }

  /// Floats of scratch memory for a batch of `count`.
  package func workspaceCount(count: Int) -> Int {
    switch (algorithm, pass) {
    case (.im2col, _): geometry.workspaceCount(count: count)
    case (.direct, .forward) where needsColumns: geometry.columnForwardWorkspaceCount(count: count)
    case (.direct, .forward): geometry.directForwardWorkspaceCount
    case (.direct, .inputGradient) where needsColumns:
      geometry.columnInputGradientWorkspaceCount(count: count)
    case (.direct, .inputGradient): geometry.directInputGradientWorkspaceCount
    case (.direct, .filterGradient): geometry.directFilterGradientWorkspaceCount(count: count)
    case (.winograd, .forward): geometry.winogradForwardWorkspaceCount(count: count)
    case (.winograd, .inputGradient): geometry.winogradInputGradientWorkspaceCount(count: count)
    case (.winograd, .filterGradient): geometry.winogradFilterGradientWorkspaceCount(count: count)
    }
  }

  /// Computes the pass; overwrites `result`.
  ///
  /// | pass | first | second | epilogue | result |
  /// |---|---|---|---|---|
  /// | forward | images | filters, packed | of `filters` channels | maps |
  /// | input gradient | maps | filters, packed | of `channels` channels | images |
  /// | filter gradient | images | gradient of the maps | none | gradient of the filters |
  ///
  /// - Parameter workspace: ``workspaceCount(count:)`` floats, aligned as those of ``BufferPool``.
  package func callAsFunction(
    _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
    count: Int, into result: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>
  ) {
    switch pass {
    case .forward:
      let kernel =
        switch algorithm {
        case .im2col: convolution
        case .direct: needsColumns ? columnConvolution : directConvolution
        case .winograd: winogradConvolution
        }
      kernel(first, second, epilogue, count, geometry, result, workspace)
    case .inputGradient:
      let kernel =
        switch algorithm {
        case .im2col: convolutionInputGradient
        case .direct: needsColumns ? columnInputGradient : directConvolutionInputGradient
        case .winograd: winogradInputGradient
        }
      kernel(first, second, epilogue, count, geometry, result, workspace)
    case .filterGradient:
      let kernel =
        switch algorithm {
        case .im2col: convolutionFilterGradient
        case .direct: directConvolutionFilterGradient
        case .winograd: winogradFilterGradient
        }
      kernel(first, second, count, geometry, result, workspace)
    }
  }
}
