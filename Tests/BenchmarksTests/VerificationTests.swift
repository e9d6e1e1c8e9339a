import Benchmarks
import Files
import Tensors
import TestSupport
import Testing

@Suite("The verification of kernels")
struct VerificationTests {
  private static let window = ConvolutionWindow(kernelSize: 3, padding: 1)

  private let calls: [ConvolutionCall] = [.maps, .images, .filters].map {
    ConvolutionCall(
      $0, images: [1, 8, 8, 32], filters: [3, 3, 32, 16], window: Self.window,
      hasBias: $0 != .filters)
  }

  @Test("correct kernels pass, and everything is compared")
  func right() throws {
    let verification = try Verification(
      calls, images: 4, searches: [CodebookSearch(codebook: [40, 8])],
      kernels: ConvolutionKernels(.auto))
    #expect(verification.convolutions == 3)
    #expect(verification.vectors == 1024)
    #expect(verification.largestError <= Verification.tolerance)
  }

  @Test("the im2col reference agrees with the definition, seven loops in Double, on the operands")
  func reference() throws {
    for call in calls {
      let operands = ConvolutionOperands(call, count: 2)
      let (images, filters, maps) = (
        DoubleTensor(operands.images), DoubleTensor(operands.filters), DoubleTensor(operands.maps)
      )
      let bias = operands.bias?.elements.map(Double.init)
      let expected =
        switch call.product {
        case .maps:
          NaiveConvolution.forward(images, filters, bias: bias, window: call.window)
        case .images:
          NaiveConvolution.backward(
            maps, filters, bias: bias, imageShape: images.shape, window: call.window)
        case .filters: NaiveConvolution.filterGradient(images, maps, window: call.window)
        }
      expectClose(
        ConvolutionKernels(.im2col).compute(call, operands), expected, tolerance: 1e-5, call.name)
    }
  }

  @Test(
    "a wrong or NaN element in one product fails", arguments: 0..<3,
    [Float(1e-3), -1, .nan])
  func wrongElement(product: Int, offset: Float) {
    let wrong = calls[product]
    let kernels = ConvolutionKernels { call, operands in
      let result = ConvolutionKernels(.im2col).compute(call, operands)
      guard call == wrong else { return result }
      var elements = result.elements
      let largest = elements.map(abs).max() ?? 0
      elements[elements.count / 2] += offset * largest
      return Tensor(result.shape, elements)
    }
    expectProblem(.failure, about: wrong.name) {
      _ = try Verification(calls, images: 2, searches: [], kernels: kernels)
    }
  }

  @Test("a result with a wrong shape fails")
  func wrongShape() {
    let kernels = ConvolutionKernels { _, operands in operands.filters.reshaped([9, 512]) }
    expectProblem(.failure, about: calls[0].name) {
      _ = try Verification(calls, images: 2, searches: [], kernels: kernels)
    }
  }

  @Test("a code that is not the nearest fails", arguments: [Int32(1), -1])
  func wrongCode(step: Int32) {
    expectProblem(.failure, about: "nearest codeword") {
      let search = CodebookSearch(codebook: [40, 8]) { codebook, vectors in
        let codes = codebook.nearestCodes(to: vectors)
        var indices = codes.indices
        indices[777] = step < 0 ? Codes.invalid : (indices[777] + step) % 40
        return Codes(codes.shape, indices)
      }
      _ = try Verification(
        [], images: 1, searches: [search], kernels: ConvolutionKernels(.auto))
    }
  }
}
