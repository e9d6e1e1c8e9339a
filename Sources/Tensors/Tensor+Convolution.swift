import KernelTypes
import Kernels

/// The kernel size, stride and padding of a convolution.
package struct ConvolutionWindow: Hashable, Sendable {
  package let kernelHeight: Int
  package let kernelWidth: Int
  package let stride: Int
  package let padding: Padding

  package init(kernelHeight: Int, kernelWidth: Int, stride: Int = 1, padding: Padding = Padding(0))
  {
    precondition(kernelHeight >= 1 && kernelWidth >= 1, "a kernel has at least one row and column")
    precondition(stride >= 1, "a stride is at least 1")
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.stride = stride
    self.padding = padding
  }

  package init(kernelSize: Int, stride: Int = 1, padding: Int = 0) {
    self.init(
      kernelHeight: kernelSize, kernelWidth: kernelSize, stride: stride, padding: Padding(padding))
  }

  /// The height and width of the image that a transposed convolution makes from a feature map of this size.
  package func imageExtents(height: Int, width: Int) -> (height: Int, width: Int) {
    (
      (height - 1) * stride + kernelHeight - padding.top - padding.bottom,
      (width - 1) * stride + kernelWidth - padding.left - padding.right
    )
  }

  /// The geometry of a convolution of these images with these filters, whose shapes it checks.
  ///
  /// - Parameters:
  ///   - images: `[N, H, W, C]`.
  ///   - filters: `[kernelHeight, kernelWidth, C, filters]`.
  func geometry(images: Shape, filters: Shape) -> ConvolutionGeometry {
    precondition(images.rank == 4, "a convolution takes [N, H, W, C], not \(images)")
    precondition(
      filters.rank == 4 && filters[0] == kernelHeight && filters[1] == kernelWidth
        && filters[2] == images[3],
      "filters of shape \(filters) do not fit a \(kernelHeight)×\(kernelWidth) kernel on \(images)")
    precondition(
      images[1] + padding.top + padding.bottom >= kernelHeight
        && images[2] + padding.left + padding.right >= kernelWidth,
      "a \(kernelHeight)×\(kernelWidth) kernel does not fit into \(images)")
    return ConvolutionGeometry(
      height: images[1], width: images[2], channels: images[3], filters: filters[3],
      kernelHeight: kernelHeight, kernelWidth: kernelWidth, stride: stride, padding: padding)
  }
}

/// Which kernels may compute a convolution.
package enum ConvolutionMethod: String, CaseIterable, Sendable {
  /// The fastest that support the shape: Winograd, else direct, else the reference.
  case auto
  /// The same without Winograd, which has slightly larger rounding errors.
  case direct
  /// The reference: matrix products over the column matrix of im2col.
  case im2col

  /// The last algorithm of a plan.
  var limit: ConvolutionAlgorithm {
    let limit: ConvolutionAlgorithm =
      switch self {
      case .auto: .winograd
      case .direct: .direct
      case .im2col: .im2col
      }
    return min(limit, kernels.fastestConvolution)
  }
}

extension Tensor {
  /// The cross-correlation of images with filters.
  ///
  /// - Parameters:
  ///   - filters: `[kernelHeight, kernelWidth, C, filters]`.
  ///   - bias: `[filters]`, or nil for none.
  ///   - residual: shaped like the result and added to it, or nil.
  ///   - relu: whether ReLU is applied at the end.
  /// - Returns: `[N, H′, W′, filters]`.
  package func convolved(
    with filters: Tensor, bias: Tensor?, residual: Tensor? = nil, relu: Bool = false,
    window: ConvolutionWindow,
    method: ConvolutionMethod = .auto
  ) -> Tensor {
    let geometry = window.geometry(images: shape, filters: filters.shape)
    requireBias(bias, width: geometry.filters)
    let plan = ConvolutionPlan(geometry, .forward, upTo: method.limit)
    return plan.run(
      self, filters.packed(.filters(plan)), bias: bias, residual: residual, relu: relu,
      images: shape[0],
      result: [shape[0], geometry.outHeight, geometry.outWidth, geometry.filters])
  }

  /// The transposed convolution of feature maps: the input gradient of a convolution of images of shape
  /// `imageShape`, where `self` is the gradient of its output.
  ///
  /// - Parameters:
  ///   - self: `[N, H′, W′, filters]`.
  ///   - filters: `[kernelHeight, kernelWidth, C, filters]`.
  ///   - bias: `[C]`, or nil for none.
  ///   - residual: shaped like the result and added to it, or nil.
  ///   - relu: whether ReLU is applied at the end.
  ///   - imageShape: `[N, H, W, C]`.
  package func transposedConvolved(
    with filters: Tensor, bias: Tensor?, residual: Tensor? = nil, relu: Bool = false,
    window: ConvolutionWindow,
    imageShape: Shape,
    method: ConvolutionMethod = .auto
  ) -> Tensor {
    let geometry = window.geometry(images: imageShape, filters: filters.shape)
    requireBias(bias, width: geometry.channels)
    requireMaps(shape, of: geometry, images: imageShape[0])
    let plan = ConvolutionPlan(geometry, .inputGradient, upTo: method.limit)
    return plan.run(
      self, filters.packed(.filters(plan)), bias: bias, residual: residual, relu: relu,
      images: imageShape[0],
      result: imageShape)
  }

  /// The gradient of a convolution of `self` with respect to its filters.
  ///
  /// - Parameter gradOutput: the gradient of the output, `[N, H′, W′, filters]`.
  /// - Returns: `[kernelHeight, kernelWidth, C, filters]`.
  package func filterGradient(
    gradOutput: Tensor, window: ConvolutionWindow, method: ConvolutionMethod = .auto
  ) -> Tensor {
    precondition(
      gradOutput.shape.rank == 4, "feature maps are [N, H, W, C], not \(gradOutput.shape)")
    let filterShape: Shape = [
      window.kernelHeight, window.kernelWidth, shape.width, gradOutput.shape.width,
    ]
    let geometry = window.geometry(images: shape, filters: filterShape)
    requireMaps(gradOutput.shape, of: geometry, images: shape[0])
    return ConvolutionPlan(geometry, .filterGradient, upTo: method.limit).run(
      self, gradOutput, bias: nil, residual: nil, relu: false, images: shape[0],
      result: filterShape)
  }
}

extension ConvolutionPlan {
  /// See `ConvolutionKernels.convolve`.
  fileprivate func run(
    _ first: Tensor, _ second: Tensor, bias: Tensor?, residual: Tensor?, relu: Bool, images: Int,
    result: Shape
  ) -> Tensor {
    precondition(
      residual == nil || residual?.shape == result,
      "a residual of shape \(residual?.shape ?? []) does not fit a result of shape \(result)")
    return Tensor(result) { result in
      withPointers(first, second, optional: bias) { first, second, bias in
        withPointer(residual) { residual in
          withWorkspace(kernels.workspaceCount(self, count: images)) {
            kernels.convolve(
              self, first, second,
              epilogue: ConvolutionEpilogue(bias: bias, residual: residual, relu: relu),
              count: images, into: result, workspace: $0)
          }
        }
      }
    }
  }
}

private func requireBias(_ bias: Tensor?, width: Int) {
  guard let bias else { return }
  precondition(
    bias.shape == [width], "a bias of shape \(bias.shape) does not fit \(width) channels")
}

private func requireMaps(_ maps: Shape, of g: ConvolutionGeometry, images: Int) {
  precondition(
    maps == [images, g.outHeight, g.outWidth, g.filters],
    "feature maps of shape \(maps) do not fit \(images) images of "
      + "\([g.height, g.width, g.channels]) under \(g.filters) filters")
}
