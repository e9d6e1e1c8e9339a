import Tensors
import TestSupport
import Testing

/// The kernels are unchecked, so their wrappers must stop a caller's bug before it reaches them.
///
/// A release build does not say why it stopped, so most tests also show that the correct call does not stop.
@Suite("Wrong shapes stop the program") struct ShapeErrorTests {
  @Test("elements that do not fill the shape")
  func elements() async {
    await #expect(processExitsWith: .failure) { _ = Tensor([2, 3], [1, 2, 3, 4, 5]) }
    await #expect(processExitsWith: .failure) { _ = Tensor(zeros: [6]).reshaped([4]) }
    await #expect(processExitsWith: .failure) { _ = Shape([2, -1]) }
    await #expect(processExitsWith: .failure) { _ = Tensor(zeros: [2, 3]).permuted([0, 0]) }
    await #expect(processExitsWith: .failure) { _ = Tensor(zeros: [2]).scalar }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(pixels: [1, 2, 3], padded: [2])
    }
    await #expect(processExitsWith: .success) {
      _ = Tensor([2, 3], [1, 2, 3, 4, 5, 6]).reshaped([6]).reshaped([3, 2]).permuted([1, 0])
    }
  }

  @Test("operands of different shapes")
  func operands() async {
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [2, 3]) + Tensor(zeros: [3, 2])
    }
    await #expect(processExitsWith: .failure) { _ = Tensor(zeros: [6]) - Tensor(zeros: [2, 3]) }
    await #expect(processExitsWith: .failure) {
      var sum = Tensor(zeros: [2])
      sum += Tensor(zeros: [1])
    }
    await #expect(processExitsWith: .failure) {
      var gradient = Tensor(zeros: [4])
      gradient.zero(whereNotPositive: Tensor(zeros: [3]))
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [2, 3]).sumOfSquaredDifferences(from: Tensor(zeros: [2, 3]), rows: 3)
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [2, 3]).matrixProduct(Tensor(zeros: [2, 3]))
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [6]).matrixProduct(Tensor(zeros: [6, 1]))
    }
    await #expect(processExitsWith: .failure) {
      var copy = Tensor(zeros: [3])
      copy.copyElements(of: Tensor(zeros: [4]))
    }
    await #expect(processExitsWith: .success) {
      _ = Tensor(zeros: [2, 3]).matrixProduct(Tensor(zeros: [3, 2]))
      var sum = Tensor(zeros: [2, 3]) + Tensor(zeros: [2, 3])
      sum += sum
    }
  }

  @Test("a convolution whose parts do not fit")
  func convolution() async {
    // A kernel larger than the padded image.
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [1, 3, 9, 2]).convolved(
        with: Tensor(zeros: [4, 4, 2, 1]), bias: nil, window: ConvolutionWindow(kernelSize: 4))
    }
    // Filters for three channels on images of two.
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [1, 4, 4, 2]).convolved(
        with: Tensor(zeros: [3, 3, 3, 1]), bias: nil, window: ConvolutionWindow(kernelSize: 3))
    }
    // A bias with another length than the number of filters.
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [1, 4, 4, 2]).convolved(
        with: Tensor(zeros: [3, 3, 2, 5]), bias: Tensor(zeros: [4]),
        window: ConvolutionWindow(kernelSize: 3))
    }
    // Feature maps whose size does not match the images.
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [1, 3, 3, 5]).transposedConvolved(
        with: Tensor(zeros: [3, 3, 2, 5]), bias: nil, window: ConvolutionWindow(kernelSize: 3),
        imageShape: [1, 4, 4, 2])
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [2, 4, 4, 2]).filterGradient(
        gradOutput: Tensor(zeros: [1, 2, 2, 5]), window: ConvolutionWindow(kernelSize: 3))
    }
    await #expect(processExitsWith: .failure) { _ = ConvolutionWindow(kernelSize: 3, stride: 0) }
    await #expect(processExitsWith: .success) {
      _ = Tensor(zeros: [1, 4, 4, 2]).convolved(
        with: Tensor(zeros: [3, 3, 2, 5]), bias: Tensor(zeros: [5]),
        window: ConvolutionWindow(kernelSize: 3))
    }
  }

  @Test("a code outside the codebook")
  func codes() async {
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [4, 2]).rows(at: Codes([1], [4]))
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [4, 2]).rows(at: Codes([1], [-2]))
    }
    await #expect(processExitsWith: .failure) {
      var table = Tensor(zeros: [4, 2])
      table.scatterAdd(Tensor(zeros: [1, 2]), at: Codes([1], [7]))
    }
    await #expect(processExitsWith: .failure) {
      var table = Tensor(zeros: [4, 2])
      table.scatterAdd(Tensor(zeros: [1, 2]), at: Codes([2], [0, 1]))
    }
    await #expect(processExitsWith: .failure) { _ = Codes([1], [4]).counts(codewords: 4) }
    await #expect(processExitsWith: .failure) { _ = Codes([2, 2], [0, 1, 2]) }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [4, 2]).nearestCodes(to: Tensor(zeros: [5, 3]))
    }
    await #expect(processExitsWith: .success) {
      _ = Tensor(zeros: [4, 2]).rows(at: Codes([2], [3, Codes.invalid]))
      _ = Codes([2], [3, Codes.invalid]).counts(codewords: 4)
    }
  }

  @Test("counting a code below −1, which would write before the counts")
  func countsBelowInvalid() async {
    await #expect(processExitsWith: .failure) { _ = Codes([1], [-2]).counts(codewords: 4) }
  }

  @Test("an update with tensors of another shape, or with step 0")
  func updates() async {
    await #expect(processExitsWith: .failure) {
      var (parameters, first, second) = (Tensor(zeros: [3]), Tensor(zeros: [3]), Tensor(zeros: [2]))
      parameters.adamStep(
        gradient: Tensor(zeros: [3]), firstMoment: &first, secondMoment: &second,
        learningRate: 1, beta1: 0.9, beta2: 0.9, epsilon: 1, step: 1)
    }
    await #expect(processExitsWith: .failure) {
      var (parameters, first, second) = (Tensor(zeros: [3]), Tensor(zeros: [3]), Tensor(zeros: [3]))
      parameters.adamStep(
        gradient: Tensor(zeros: [3]), firstMoment: &first, secondMoment: &second,
        learningRate: 1, beta1: 0.9, beta2: 0.9, epsilon: 1, step: 0)
    }
    await #expect(processExitsWith: .failure) {
      var average = Tensor(zeros: [3])
      average.average(Tensor(zeros: [2]), old: 1, new: 1)
    }
    await #expect(processExitsWith: .failure) {
      var rows = Tensor(zeros: [3, 2])
      rows.setRows { _ in (Tensor(zeros: [3, 1]), 1) }
    }
    await #expect(processExitsWith: .failure) {
      let layout = TensorArena.Layout([[3], [2]])
      _ = TensorArena(layout, adding: [Tensor(zeros: [3]), Tensor(zeros: [3])], to: [nil, nil])
    }
  }
}
