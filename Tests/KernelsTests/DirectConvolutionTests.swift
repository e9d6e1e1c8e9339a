import Kernels
import Tensors
import TestSupport
import Testing

/// The kernels without a column matrix, against the definition in double precision and against the
/// reference kernels. A build without wide registers has none of these shapes, and says so.
@Suite("Direct convolution")
struct DirectConvolutionTests {
  /// Shapes that the direct kernels take: widths that are no multiple of a tile, both remainders of
  /// rows, several panels, strides with and without equal phases, and padding on one side alone.
  static let cases: [ConvolutionCase] = [
    ConvolutionCase("3×3", [2, 5, 8, 32], filters: 32, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase(
      "3×3, 11 wide", [1, 4, 11, 32], filters: 64, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase("1×1", [3, 3, 9, 64], filters: 32, kernel: (1, 1)),
    ConvolutionCase(
      "4×4 stride 2", [2, 6, 16, 32], filters: 32, kernel: (4, 4), stride: 2, padding: Padding(1)),
    ConvolutionCase(
      "4×4 stride 2, odd", [1, 7, 19, 32], filters: 32, kernel: (4, 4), stride: 2,
      padding: Padding(1)),
    ConvolutionCase(
      "3 channels", [2, 8, 32, 3], filters: 64, kernel: (4, 4), stride: 2, padding: Padding(1)),
    ConvolutionCase(
      "3×3 stride 2", [2, 9, 18, 32], filters: 32, kernel: (3, 3), stride: 2,
      padding: Padding(top: 0, left: 0, bottom: 1, right: 1)),
    ConvolutionCase(
      "5×3 stride 3", [1, 10, 27, 32], filters: 32, kernel: (5, 3), stride: 3, padding: Padding(2)),
    ConvolutionCase(
      "asymmetric", [2, 4, 12, 32], filters: 32, kernel: (2, 3),
      padding: Padding(top: 2, left: 0, bottom: 1, right: 3)),
    ConvolutionCase(
      "many images", [20, 8, 8, 64], filters: 32, kernel: (3, 3), padding: Padding(1)),
  ]

  private struct Inputs {
    let images: Tensor
    let filters: Tensor
    let maps: Tensor
    let bias: Tensor
    let imageBias: Tensor

    init(_ shape: ConvolutionCase) {
      let g = shape.geometry
      var generator = SeededGenerator(test: 11)
      let count = shape.images[0]
      images = generator.tensor([count, g.height, g.width, g.channels])
      filters = generator.tensor([g.kernelHeight, g.kernelWidth, g.channels, g.filters])
      maps = generator.tensor([count, g.outHeight, g.outWidth, g.filters])
      bias = generator.tensor([g.filters])
      imageBias = generator.tensor([g.channels])
    }
  }

  @Test("every case is one that some direct kernel takes", arguments: cases)
  func suits(shape: ConvolutionCase) {
    guard hasWideRegisters else {
      print("skipped: this build has no direct kernels")
      return
    }
    #expect(shape.geometry.suitsDirectForward && shape.geometry.suitsDirectFilterGradient)
    #expect(shape.geometry.suitsDirectInputGradient == (shape.geometry.channels % 32 == 0))
  }

  /// At most a few thousand products of numbers below 1, added in order: the error is some 1e-6 of the
  /// largest sum.
  private static let tolerance = 5e-6

  @Test(
    "agrees with the definition, forward and both gradients, with and without bias",
    arguments: cases)
  func definition(shape: ConvolutionCase) {
    let inputs = Inputs(shape)
    let window = shape.window
    let (images, filters) = (DoubleTensor(inputs.images), DoubleTensor(inputs.filters))
    for bias in [nil, inputs.bias] {
      expectClose(
        inputs.images.convolved(with: inputs.filters, bias: bias, window: window),
        NaiveConvolution.forward(
          images, filters, bias: bias?.elements.map(Double.init), window: window),
        tolerance: Self.tolerance, "\(shape.name), forward")
    }
    for bias in [nil, inputs.imageBias] {
      expectClose(
        inputs.maps.convolvedBackwards(
          with: inputs.filters, bias: bias, window: window, imageShape: inputs.images.shape),
        NaiveConvolution.backward(
          DoubleTensor(inputs.maps), filters, bias: bias?.elements.map(Double.init),
          imageShape: inputs.images.shape.extents, window: window),
        tolerance: Self.tolerance, "\(shape.name), input gradient")
    }
    expectClose(
      inputs.images.filterGradient(gradMaps: inputs.maps, window: window),
      NaiveConvolution.filterGradient(images, DoubleTensor(inputs.maps), window: window),
      tolerance: Self.tolerance, "\(shape.name), filter gradient")
  }

  @Test(
    "agrees with the reference kernels, which differ in the order of their sums", arguments: cases)
  func reference(shape: ConvolutionCase) {
    let inputs = Inputs(shape)
    let window = shape.window
    expectClose(
      inputs.images.convolved(with: inputs.filters, bias: inputs.bias, window: window),
      inputs.images.convolved(
        with: inputs.filters, bias: inputs.bias, window: window, method: .im2col),
      tolerance: Self.tolerance, "\(shape.name), forward")
    expectClose(
      inputs.maps.convolvedBackwards(
        with: inputs.filters, bias: nil, window: window, imageShape: inputs.images.shape),
      inputs.maps.convolvedBackwards(
        with: inputs.filters, bias: nil, window: window, imageShape: inputs.images.shape,
        method: .im2col), tolerance: Self.tolerance, "\(shape.name), input gradient")
    expectClose(
      inputs.images.filterGradient(gradMaps: inputs.maps, window: window),
      inputs.images.filterGradient(gradMaps: inputs.maps, window: window, method: .im2col),
      tolerance: Self.tolerance, "\(shape.name), filter gradient")
  }
}
