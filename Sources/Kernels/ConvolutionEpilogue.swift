/// What becomes of a convolution's sums before they are stored, so that they are written once.
package struct ConvolutionEpilogue {
  /// Added to every position: a number for each channel of the result, or nil for none.
  package let bias: UnsafePointer<Float>?
  /// Added to the sums, element by element: shaped like the result, and other memory; or nil for nothing.
  package let addend: UnsafePointer<Float>?
  /// Whether negative numbers become zero (ReLU); NaN stays.
  package let rectifies: Bool

  package init(
    bias: UnsafePointer<Float>? = nil, addend: UnsafePointer<Float>? = nil, rectifies: Bool = false
  ) {
    self.bias = bias
    self.addend = addend
    self.rectifies = rectifies
  }

  /// The same for channels from `first` on.
  func fromChannel(_ first: Int) -> ConvolutionEpilogue {
    ConvolutionEpilogue(
      bias: bias.map { $0 + first }, addend: addend.map { $0 + first }, rectifies: rectifies)
  }

  /// The same for results from number `first` on.
  func fromResult(_ first: Int) -> ConvolutionEpilogue {
    ConvolutionEpilogue(bias: bias, addend: addend.map { $0 + first }, rectifies: rectifies)
  }

  /// For sums that are stored already, with the bias in them.
  func finish(_ sums: UnsafeMutablePointer<Float>, count: Int) {
    if let addend { add(sums, addend, count: count, into: sums) }
    if rectifies { relu(sums, count: count, into: sums) }
  }
}

extension Lanes {
  /// `max(x, 0)`, and NaN where `x` is.
  @inline(__always)
  var rectified: Lanes { replacing(with: 0, where: self .< 0) }
}
