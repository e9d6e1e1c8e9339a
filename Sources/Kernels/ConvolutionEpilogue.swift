/// What becomes of a convolution's sums before they are stored, so that they are written once.
package struct ConvolutionEpilogue {
  /// Added to every position: a number for each channel of the result, or nil for none.
  package let bias: UnsafePointer<Float>?
  /// Whether negative numbers become zero (ReLU); NaN stays.
  package let rectifies: Bool

  package init(bias: UnsafePointer<Float>? = nil, rectifies: Bool = false) {
    self.bias = bias
    self.rectifies = rectifies
  }

  /// The same for channels from `first` on.
  func fromChannel(_ first: Int) -> ConvolutionEpilogue {
    ConvolutionEpilogue(bias: bias.map { $0 + first }, rectifies: rectifies)
  }
}

extension Lanes {
  /// `max(x, 0)`, and NaN where `x` is.
  @inline(__always)
  var rectified: Lanes { replacing(with: 0, where: self .< 0) }
}
