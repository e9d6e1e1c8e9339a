import KernelTypes
import Kernels
import Tensors
import TestSupport
import Testing

/// A batch of images and a kernel that moves over it.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  let name: String
  /// `[N, H, W, C]`.
  let images: Shape
  let filters: Int
  let window: ConvolutionWindow

  init(
    _ name: String, _ images: Shape, filters: Int, kernel: (Int, Int), stride: Int = 1,
    padding: Padding = Padding(0)
  ) {
    self.name = name
    self.images = images
    self.filters = filters
    window = ConvolutionWindow(
      kernelHeight: kernel.0, kernelWidth: kernel.1, stride: stride, padding: padding)
  }

  var testDescription: String { name }

  var geometry: ConvolutionGeometry {
    ConvolutionGeometry(
      height: images[1], width: images[2], channels: images[3], filters: filters,
      kernelHeight: window.kernelHeight, kernelWidth: window.kernelWidth, stride: window.stride,
      padding: window.padding)
  }

  /// `[kernelHeight, kernelWidth, C, filters]`.
  var filterShape: Shape { [window.kernelHeight, window.kernelWidth, images[3], filters] }

  /// `[N, H′, W′, filters]`.
  var mapShape: Shape {
    Shape(NaiveConvolution.mapShape(images.extents, filterShape.extents, window))
  }

  static let all: [ConvolutionCase] = [
    ConvolutionCase("1×1", [2, 5, 3, 7], filters: 4, kernel: (1, 1)),
    ConvolutionCase("1×1 stride 2", [2, 5, 6, 3], filters: 4, kernel: (1, 1), stride: 2),
    ConvolutionCase("1×1 padded", [1, 3, 3, 2], filters: 3, kernel: (1, 1), padding: Padding(1)),
    ConvolutionCase(
      "4×4 stride 2", [3, 8, 8, 3], filters: 5, kernel: (4, 4), stride: 2, padding: Padding(1)),
    ConvolutionCase(
      "4×4 stride 2 on odd extents", [2, 9, 7, 3], filters: 5, kernel: (4, 4), stride: 2,
      padding: Padding(1)),
    ConvolutionCase("3×3", [2, 6, 5, 17], filters: 9, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase("3×3 on 1×1", [3, 1, 1, 4], filters: 4, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase("3×3 unpadded", [2, 3, 3, 5], filters: 2, kernel: (3, 3)),
    ConvolutionCase("5×5", [1, 6, 9, 3], filters: 4, kernel: (5, 5), padding: Padding(2)),
    ConvolutionCase(
      "2×5", [2, 4, 7, 3], filters: 3, kernel: (2, 5),
      padding: Padding(top: 1, left: 2, bottom: 0, right: 2)),
    ConvolutionCase("5×1", [2, 8, 3, 2], filters: 6, kernel: (5, 1)),
    ConvolutionCase(
      "asymmetric padding", [2, 5, 5, 3], filters: 4, kernel: (3, 3),
      padding: Padding(top: 0, left: 2, bottom: 3, right: 1)),
    ConvolutionCase(
      "padding beyond the kernel", [1, 2, 3, 2], filters: 3, kernel: (2, 2),
      padding: Padding(top: 3, left: 4, bottom: 2, right: 5)),
    ConvolutionCase(
      "stride 3", [2, 10, 11, 3], filters: 4, kernel: (3, 3), stride: 3, padding: Padding(1)),
    ConvolutionCase(
      "stride beyond the kernel", [2, 9, 8, 3], filters: 4, kernel: (2, 2), stride: 4),
    ConvolutionCase(
      "one channel, one filter", [4, 7, 7, 1], filters: 1, kernel: (3, 3), padding: Padding(1)),
    // The columns of these three cases do not fit one block; see imagesPerReduction.
    ConvolutionCase(
      "6 images in 2 blocks", [6, 24, 24, 9], filters: 1, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase(
      "17 images in 2 blocks", [17, 16, 16, 8], filters: 2, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase(
      "a big image alone", [1, 40, 40, 20], filters: 1, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase("no image", [0, 6, 6, 3], filters: 2, kernel: (3, 3), padding: Padding(1)),
  ]
}
