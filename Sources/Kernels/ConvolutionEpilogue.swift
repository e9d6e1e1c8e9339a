/// What becomes of a convolution's sums before they are stored, so that they are written once.
package struct ConvolutionEpilogue {
  /// Added to every position: a number for each channel of the result, or nil for none.
  package let bias: UnsafePointer<Float>?
  /// Added to the sums, element by element: shaped like the result, and other memory; or nil for nothing.
  package let residual: UnsafePointer<Float>?
  /// Whether negative numbers become zero (ReLU); NaN stays.
  package let relu: Bool

  package init(
    bias: UnsafePointer<Float>? = nil, residual: UnsafePointer<Float>? = nil, relu: Bool = false
  ) {
    self.bias = bias
    self.residual = residual
    self.relu = relu
  }

  /// The same for channels from `first` on.
  func fromChannel(_ first: Int) -> ConvolutionEpilogue {
    ConvolutionEpilogue(
      bias: bias.map { $0 + first }, residual: residual.map { $0 + first }, relu: relu)
  }

  /// The same for results from number `first` on.
  func fromResult(_ first: Int) -> ConvolutionEpilogue {
    ConvolutionEpilogue(bias: bias, residual: residual.map { $0 + first }, relu: relu)
  }

  /// For sums that are stored already, with the bias in them.
  func finish(_ sums: UnsafeMutablePointer<Float>, count: Int) {
    if let residual { add(sums, residual, count: count, into: sums) }
    if relu { Kernels.relu(sums, count: count, into: sums) }
  }
}

extension Lanes {
  /// `max(x, 0)`, and NaN where `x` is.
  @inline(__always)
  var rectified: Lanes { replacing(with: 0, where: self .< 0) }
}
