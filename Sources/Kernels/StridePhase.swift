import KernelTypes

/// Output positions of one axis that are congruent modulo the stride, with the kernel taps that reach them (a
/// polyphase component): these positions are a convolution of stride 1 over the maps with flipped taps. With
/// stride 1 there is one phase, the whole.
struct StridePhase {
  /// The first position, and how many there are, `stride` apart.
  let first: Int
  let count: Int
  /// The kernel's first element, and how many there are, `stride` apart.
  let element: Int
  let elements: Int
  /// The map's position under the last of them for the first position.
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
  /// The phases of rows and columns, the columns' running faster.
  var phases: [(y: StridePhase, x: StridePhase)] {
    (0..<(stride &* stride)).map { phase in
      (
        y: StridePhase(
          phase / stride, extent: height, padding: padding.top, kernel: kernelHeight,
          stride: stride),
        x: StridePhase(
          phase % stride, extent: width, padding: padding.left, kernel: kernelWidth,
          stride: stride)
      )
    }
  }
}
