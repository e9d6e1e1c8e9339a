import KernelTypes
import Runtime

/// How a convolution is computed. Of the algorithms that support a shape, the last is the fastest.
package enum ConvolutionAlgorithm: Int, CaseIterable, Sendable {
  /// The reference: Convolution.swift.
  case im2col
  /// ColumnConvolution.swift: small feature maps, and images of few channels.
  case columns
  /// DirectConvolution.swift.
  case direct
  /// WinogradConvolution.swift.
  case winograd
}

/// The computations of a convolution in training.
package enum ConvolutionPass: CaseIterable, Sendable {
  /// Images and filters to feature maps, the output.
  case forward
  /// Feature maps and filters to images: the gradient of the images, or a transposed convolution.
  case inputGradient
  /// Images and the gradient of the output to the gradient of the filters.
  case filterGradient
}

/// The kernel for one pass of a convolution. Nothing else knows which kernels there are.
package struct ConvolutionPlan: Hashable, Sendable {
  package let algorithm: ConvolutionAlgorithm
  /// Whether the kernel computes the mirrored convolution instead (MirroredConvolution.swift).
  package let isMirrored: Bool
  /// The convolution that the kernel computes: the requested one, or the mirrored one.
  private let geometry: ConvolutionGeometry
  private let pass: ConvolutionPass

  /// Chooses the fastest algorithm up to `limit` that supports the shape. If only the reference does,
  /// chooses the fastest that supports the mirrored convolution.
  package init(
    _ geometry: ConvolutionGeometry, _ pass: ConvolutionPass,
    upTo limit: ConvolutionAlgorithm = .winograd
  ) {
    func fastest(_ geometry: ConvolutionGeometry, _ pass: ConvolutionPass) -> ConvolutionAlgorithm {
      ConvolutionAlgorithm.allCases.last {
        $0.rawValue <= limit.rawValue && Self.suits(geometry, pass, $0)
      } ?? .im2col
    }
    let algorithm = fastest(geometry, pass)
    if algorithm == .im2col, let mirror = geometry.mirrored {
      self.algorithm = fastest(mirror, pass.mirrored)
      isMirrored = self.algorithm != .im2col
    } else {
      self.algorithm = algorithm
      isMirrored = false
    }
    self.geometry = isMirrored ? geometry.mirrored ?? geometry : geometry
    self.pass = isMirrored ? pass.mirrored : pass
  }

  private static func suits(
    _ g: ConvolutionGeometry, _ pass: ConvolutionPass, _ algorithm: ConvolutionAlgorithm
  ) -> Bool {
    switch (algorithm, pass) {
    case (.im2col, _): true
    case (.columns, .forward): g.suitsColumnForward
    case (.columns, .inputGradient): g.suitsColumnInputGradient
    case (.columns, .filterGradient): false
    case (.direct, .forward): g.suitsDirectForward
    case (.direct, .inputGradient): g.suitsDirectInputGradient
    case (.direct, .filterGradient): g.suitsDirectFilterGradient
    case (.winograd, .forward): g.suitsWinogradForward
    case (.winograd, .inputGradient): g.suitsWinogradInputGradient
    case (.winograd, .filterGradient): g.suitsWinogradFilterGradient
    }
  }

  /// Floats of the packed filters that the kernel reads, or nil if it reads the filters as they are.
  package var packedFilterCount: Int? {
    switch (algorithm, pass) {
    case (.im2col, _), (_, .filterGradient): nil
    case (.columns, .inputGradient): geometry.columnTransposedFilterCount
    case (.columns, _), (.direct, _): geometry.filterCount
    case (.winograd, _): geometry.winogradFilterCount
    }
  }

  /// Packs filters `[kernelHeight, kernelWidth, channels, filters]` for the kernel, once for many calls.
  ///
  /// - Parameter packed: ``packedFilterCount`` floats.
  package func packFilters(
    _ filters: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>
  ) {
    guard packedFilterCount != nil else { return }
    guard isMirrored else { return pack(filters, into: packed) }
    let flipped = BufferPool.take(geometry.filterCount)
    defer { BufferPool.giveBack(flipped, count: geometry.filterCount) }
    mirrorFilters(filters, into: flipped, of: geometry)
    pack(flipped, into: packed)
  }

  private func pack(_ filters: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>) {
    let kernel =
      switch (algorithm, pass) {
      case (.columns, .inputGradient): columnTransposedFilters
      case (.direct, .inputGradient): directFlippedFilters
      case (.winograd, .inputGradient): winogradFlippedFilters
      case (.winograd, _): winogradFilters
      default: directFilters
      }
    kernel(filters, geometry, packed)
  }

  /// Floats of scratch memory for a batch of `count`.
  package func workspaceCount(count: Int) -> Int {
    let kernel =
      switch (algorithm, pass) {
      case (.im2col, _), (.columns, .filterGradient): geometry.workspaceCount(count: count)
      case (.columns, .forward): geometry.columnForwardWorkspaceCount(count: count)
      case (.columns, .inputGradient): geometry.columnInputGradientWorkspaceCount(count: count)
      case (.direct, .forward): geometry.directForwardWorkspaceCount
      case (.direct, .inputGradient): geometry.directInputGradientWorkspaceCount
      case (.direct, .filterGradient): geometry.directFilterGradientWorkspaceCount(count: count)
      case (.winograd, .forward): geometry.winogradForwardWorkspaceCount(count: count)
      case (.winograd, .inputGradient): geometry.winogradInputGradientWorkspaceCount(count: count)
      case (.winograd, .filterGradient):
        geometry.winogradFilterGradientWorkspaceCount(count: count)
      }
    return mirroredGradientCount + kernel
  }

  /// Floats of scratch memory for a filter gradient before it is flipped.
  private var mirroredGradientCount: Int {
    isMirrored && pass == .filterGradient ? (geometry.filterCount + 15) & ~15 : 0
  }

  /// Computes the pass; overwrites `result`.
  ///
  /// | pass | first | second | epilogue | result |
  /// |---|---|---|---|---|
  /// | forward | images | packed filters | of `filters` channels | feature maps |
  /// | input gradient | feature maps | packed filters | of `channels` channels | images |
  /// | filter gradient | images | gradient of the output | none | gradient of the filters |
  ///
  /// - Parameter workspace: ``workspaceCount(count:)`` floats, aligned like the blocks of ``BufferPool``.
  package func callAsFunction(
    _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>, epilogue: ConvolutionEpilogue,
    count: Int, into result: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>
  ) {
    switch pass {
    case .forward:
      let kernel =
        switch algorithm {
        case .im2col: convolution
        case .columns: columnConvolution
        case .direct: directConvolution
        case .winograd: winogradConvolution
        }
      kernel(first, second, epilogue, count, geometry, result, workspace)
    case .inputGradient:
      let kernel =
        switch algorithm {
        case .im2col: convolutionInputGradient
        case .columns: columnInputGradient
        case .direct: directConvolutionInputGradient
        case .winograd: winogradInputGradient
        }
      kernel(first, second, epilogue, count, geometry, result, workspace)
    case .filterGradient:
      let kernel =
        switch algorithm {
        case .im2col, .columns: convolutionFilterGradient
        case .direct: directConvolutionFilterGradient
        case .winograd: winogradFilterGradient
        }
      if isMirrored {
        let flipped = workspace
        kernel(second, first, count, geometry, flipped, workspace + mirroredGradientCount)
        mirrorFilters(flipped, into: result, of: geometry.mirrored ?? geometry)
      } else {
        kernel(first, second, count, geometry, result, workspace)
      }
    }
  }
}
