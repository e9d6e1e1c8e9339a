import Kernels
import Tensors
import TestSupport
import Testing

/// The bounds lie between the errors of Winograd's points 0, 1, −1, ½, −2 (1.6e-6 and 7.2e-7, measured) and those
/// of the usual 0, ±1, ±2 (2.4e-6 and 1.1e-6).
@Suite("The accuracy of Winograd's convolution")
struct WinogradAccuracyTests {
  private static let window = ConvolutionWindow(kernelSize: 3, padding: 1)

  private func normal(_ shape: Shape, stream: UInt64) -> Tensor {
    var generator = SeededGenerator(seed: 5, purpose: RandomPurpose(1), stream: stream)
    return Tensor(shape, (0..<shape.count).map { _ in generator.normal() })
  }

  /// The root mean square of the error, relative to that of the result.
  private func error(_ found: Tensor, _ expected: DoubleTensor) -> Double {
    var (error, size) = (0.0, 0.0)
    for (x, y) in zip(found.elements, expected.elements) {
      error += (Double(x) - y) * (Double(x) - y)
      size += y * y
    }
    return (error / size).squareRoot()
  }

  @Test("over 128 channels, the error is below 2e-6 forward and 9e-7 for filter gradients")
  func error() {
    let images = normal([4, 8, 8, 128], stream: 1)
    let filters = normal([3, 3, 128, 128], stream: 2)
    let gradients = normal([4, 8, 8, 128], stream: 3)
    let forward = images.convolved(with: filters, bias: nil, window: Self.window)
    #expect(
      error(
        forward,
        NaiveConvolution.forward(
          DoubleTensor(images), DoubleTensor(filters), bias: nil, window: Self.window)) < 2e-6)
    #expect(
      error(
        images.filterGradient(gradOutput: gradients, window: Self.window),
        NaiveConvolution.filterGradient(
          DoubleTensor(images), DoubleTensor(gradients), window: Self.window)) < 9e-7)
  }
}
