import KernelTypes

extension ConvolutionEpilogue {
  /// The epilogue of the channels from `first` on.
  @inline(__always)
  func fromChannel(_ first: Int) -> ConvolutionEpilogue {
    ConvolutionEpilogue(
      bias: bias.map { $0 + first }, residual: residual.map { $0 + first }, relu: relu)
  }

  /// The epilogue of the results from offset `first` on.
  @inline(__always)
  func fromResult(_ first: Int) -> ConvolutionEpilogue {
    ConvolutionEpilogue(bias: bias, residual: residual.map { $0 + first }, relu: relu)
  }
}

extension Module {
  /// Adds an epilogue's residual and applies its ReLU to stored sums, which already include the bias.
  static func finish(
    _ sums: UnsafeMutablePointer<Float>, count: Int, _ epilogue: ConvolutionEpilogue
  ) {
    if let residual = epilogue.residual { add(sums, residual, count: count, into: sums) }
    if epilogue.relu { relu(sums, count: count, into: sums) }
  }
}
