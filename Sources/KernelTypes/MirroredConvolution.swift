// With stride 1, a transposed convolution is a convolution of the feature maps with flipped (rotated by 180°)
// filters, and vice versa. The last layer of a decoder has three output channels, too few filters for a
// register; the mirrored convolution has three input channels and many filters, which other kernels support.
// So each pass can be computed as a pass of the mirrored convolution (``ConvolutionPass/mirrored``).

extension ConvolutionGeometry {
  /// The convolution whose images are these feature maps, and whose feature maps are these images; nil if the
  /// stride is not 1, or the padding is not smaller than the kernel.
  ///
  /// Mirroring twice gives the original convolution.
  package var mirrored: ConvolutionGeometry? {
    let (lastRow, lastColumn) = (kernelHeight - 1, kernelWidth - 1)
    guard stride == 1, max(padding.top, padding.bottom) <= lastRow,
      max(padding.left, padding.right) <= lastColumn
    else { return nil }
    return ConvolutionGeometry(
      height: outHeight, width: outWidth, channels: filters, filters: channels,
      kernelHeight: kernelHeight, kernelWidth: kernelWidth, stride: 1,
      padding: Padding(
        top: lastRow - padding.top, left: lastColumn - padding.left,
        bottom: lastRow - padding.bottom, right: lastColumn - padding.right))
  }
}

extension ConvolutionPass {
  /// The pass of the mirrored convolution that computes the same.
  var mirrored: ConvolutionPass {
    switch self {
    case .forward: .inputGradient
    case .inputGradient: .forward
    case .filterGradient: .filterGradient
    }
  }
}
