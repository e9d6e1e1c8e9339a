import KernelTypes

/// Image positions of one axis that are congruent modulo the stride, with the kernel taps that reach them (a
/// polyphase component). The input gradient at these positions is a convolution of stride 1 of the feature
/// maps with the flipped taps. With stride 1 there is a single phase, with all positions and taps.
struct StridePhase {
  /// The first position, and the number of positions, which are `stride` apart.
  let first: Int
  let count: Int
  /// The first tap, and the number of taps, which are `stride` apart.
  let element: Int
  let elements: Int
  /// The position in the feature map that reaches the first position through the first tap. Each later tap
  /// reaches it from one position before.
  let base: Int

  init(_ phase: Int, extent: Int, padding: Int, kernel: Int, stride: Int) {
    element = phase
    elements = (kernel &- phase &+ stride &- 1) / stride
    first = ((phase &- padding) % stride &+ stride) % stride
    count = max(0, (extent &- first &+ stride &- 1) / stride)
    base = (first &+ padding &- phase) / stride
  }
}

extension ConvolutionGeometry {
  /// Calls `body` for all pairs of a phase of the rows and a phase of the columns; the columns' varies faster.
  @inline(__always)
  func forEachPhase(_ body: (_ y: StridePhase, _ x: StridePhase) -> Void) {
    for phase in 0..<(stride &* stride) {
      body(
        StridePhase(
          phase / stride, extent: height, padding: padding.top, kernel: kernelHeight,
          stride: stride),
        StridePhase(
          phase % stride, extent: width, padding: padding.left, kernel: kernelWidth,
          stride: stride))
    }
  }
}
