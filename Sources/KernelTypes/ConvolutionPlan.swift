/// How a convolution is computed. Of the algorithms that support a shape, the last is the fastest.
package enum ConvolutionAlgorithm: Int, CaseIterable, Comparable, Sendable {
  /// The reference: Im2ColConvolution.swift.
  case im2col
  /// ColumnConvolution.swift: small feature maps, and images of few channels.
  case columns
  /// DirectConvolution.swift.
  case direct
  /// WinogradConvolution.swift.
  case winograd

  package static func < (a: ConvolutionAlgorithm, b: ConvolutionAlgorithm) -> Bool {
    a.rawValue < b.rawValue
  }
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

/// The algorithm for one pass of a convolution. Every ``KernelModule`` that has the algorithm runs the plan to the
/// same bits, so the choice depends on the shape alone.
package struct ConvolutionPlan: Hashable, Sendable {
  package let algorithm: ConvolutionAlgorithm
  /// Whether the mirrored convolution is computed instead (MirroredConvolution.swift).
  package let isMirrored: Bool
  /// The convolution that is computed: the requested one, or the mirrored one.
  package let geometry: ConvolutionGeometry
  package let pass: ConvolutionPass

  /// Chooses the fastest algorithm up to `limit` that supports the shape. If only the reference does,
  /// chooses the fastest that supports the mirrored convolution.
  package init(
    _ geometry: ConvolutionGeometry, _ pass: ConvolutionPass,
    upTo limit: ConvolutionAlgorithm = .winograd
  ) {
    func fastest(_ geometry: ConvolutionGeometry, _ pass: ConvolutionPass) -> ConvolutionAlgorithm {
      ConvolutionAlgorithm.allCases.last { $0 <= limit && geometry.supports($0, pass) } ?? .im2col
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
}

/// The most rows and columns of any module's register tile. Whether an algorithm supports a shape depends on these,
/// so that every module computes a shape by the same algorithm.
private enum LargestTile {
  static let rows = 8
  static let columns = 32
}

extension ConvolutionGeometry {
  /// Whether an algorithm supports this shape.
  fileprivate func supports(_ algorithm: ConvolutionAlgorithm, _ pass: ConvolutionPass) -> Bool {
    switch (algorithm, pass) {
    case (.im2col, _): true
    case (.columns, .forward): fillsPanels(filters)
    case (.columns, .inputGradient):
      // Less than a third of the multiplications is by padding.
      2 * roundedUpToPanels(patchCount) <= 3 * patchCount
    case (.columns, .filterGradient): false
    case (.direct, .forward): outWidth >= LargestTile.rows && fillsPanels(filters)
    case (.direct, .inputGradient):
      width / stride >= LargestTile.rows && fillsPanels(channels)
        && kernelHeight >= stride && kernelWidth >= stride
    case (.direct, .filterGradient):
      // At least half of a tile's rows are used.
      fillsPanels(filters) && 2 * kernelWidth * channels >= LargestTile.rows
    case (.winograd, .forward):
      channels % 16 == 0 && fillsPanels(filters)
        && winogradPays(height: outHeight, width: outWidth)
    case (.winograd, .inputGradient):
      filters % 16 == 0 && fillsPanels(channels)
        && winogradPays(height: height / stride, width: width / stride)
    case (.winograd, .filterGradient):
      supports(.winograd, .forward) && channels % winogradDepthAtOnce == 0
    }
  }

  private func fillsPanels(_ count: Int) -> Bool { count % LargestTile.columns == 0 }

  private func roundedUpToPanels(_ count: Int) -> Int {
    (count + LargestTile.columns - 1) / LargestTile.columns * LargestTile.columns
  }

  /// The taps of each phase of the stride along one axis; nil unless all phases have 2×2 taps or all have 3×3.
  package var winogradTaps: Int? {
    guard kernelHeight == kernelWidth, kernelHeight % stride == 0 else { return nil }
    let taps = kernelHeight / stride
    return taps == 2 || taps == 3 ? taps : nil
  }

  /// Whether the tiles of 4×4 over these outputs take less than two thirds of the definition's multiplications.
  private func winogradPays(height: Int, width: Int) -> Bool {
    guard let taps = winogradTaps else { return false }
    let tiles = ((height + 3) / 4) * ((width + 3) / 4)
    return 3 * tiles * (taps + 3) * (taps + 3) < 2 * height * width * taps * taps
  }
}

/// Rows of the reduction whose gradients Winograd's filter gradient computes at once, so that they stay in cache
/// until they are transformed back.
package let winogradDepthAtOnce = 32
