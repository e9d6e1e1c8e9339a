/// Bias, residual and ReLU, applied to a convolution's sums before they are stored, so that the output is
/// written once.
package struct ConvolutionEpilogue {
  /// Added at every position: one number for each channel of the result, or nil.
  package let bias: UnsafePointer<Float>?
  /// Added element by element: shaped like the result, in memory of its own; or nil.
  package let residual: UnsafePointer<Float>?
  /// Whether negative sums become zero (ReLU); NaN stays NaN.
  package let relu: Bool

  package init(
    bias: UnsafePointer<Float>? = nil, residual: UnsafePointer<Float>? = nil, relu: Bool = false
  ) {
    self.bias = bias
    self.residual = residual
    self.relu = relu
  }
}
