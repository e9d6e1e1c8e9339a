import BLAS
import KernelTypes
import Kernels
import Tensors
import TestSupport
import Testing

/// Tolerances: a sum of n products is off by about √n·2⁻²⁴ where the result is about √n, so errors
/// stay within a few 2⁻²⁴ of the largest element. 1e-5 leaves room for algorithms with larger rounding errors
/// (Winograd), and is far below the effect of a wrong tap, sign or bias.
@Suite("Convolution against its definition") struct ConvolutionTests {
  init() { BLAS.useOneThread() }

  @Test("the output agrees, with and without bias", arguments: ConvolutionCase.all)
  func forward(testCase: ConvolutionCase) {
    var generator = SeededGenerator(test: 1)
    let images = generator.tensor(testCase.images)
    let filters = generator.tensor(testCase.filterShape)
    for bias in [nil, generator.tensor([testCase.filters])] {
      let expected = NaiveConvolution.forward(
        DoubleTensor(images), DoubleTensor(filters), bias: bias?.elements.map(Double.init),
        window: testCase.window)
      expectClose(
        images.convolved(with: filters, bias: bias, window: testCase.window), expected,
        tolerance: 1e-5, bias == nil ? "without bias" : "with bias")
    }
  }

  @Test("the input gradient agrees, with and without bias", arguments: ConvolutionCase.all)
  func inputGradient(testCase: ConvolutionCase) {
    var generator = SeededGenerator(test: 2)
    let maps = generator.tensor(testCase.mapShape)
    let filters = generator.tensor(testCase.filterShape)
    for bias in [nil, generator.tensor([testCase.images.width])] {
      let expected = NaiveConvolution.backward(
        DoubleTensor(maps), DoubleTensor(filters), bias: bias?.elements.map(Double.init),
        imageShape: testCase.images.extents, window: testCase.window)
      expectClose(
        maps.transposedConvolved(
          with: filters, bias: bias, window: testCase.window, imageShape: testCase.images),
        expected, tolerance: 1e-5, bias == nil ? "without bias" : "with bias")
    }
  }

  @Test("the filter gradient agrees, over all blocks", arguments: ConvolutionCase.all)
  func filterGradient(testCase: ConvolutionCase) {
    var generator = SeededGenerator(test: 3)
    let images = generator.tensor(testCase.images)
    let maps = generator.tensor(testCase.mapShape)
    let expected = NaiveConvolution.filterGradient(
      DoubleTensor(images), DoubleTensor(maps), window: testCase.window)
    expectClose(
      images.filterGradient(gradOutput: maps, window: testCase.window), expected, tolerance: 1e-5)
  }

  @Test("a transposed convolution makes images of the window's extents")
  func transposedExtents() {
    let window = ConvolutionWindow(kernelSize: 4, stride: 2, padding: 1)
    let extents = window.imageExtents(height: 8, width: 5)
    #expect(extents == (16, 10))
    // A convolution of images of these extents has the output extents above.
    let back = ConvolutionCase(
      "back", [1, extents.height, extents.width, 1], filters: 1, kernel: (4, 4), stride: 2,
      padding: Padding(1)
    ).geometry
    #expect((back.outHeight, back.outWidth) == (8, 5))
  }
}

@Suite("Blocks of images in im2col convolutions") struct ConvolutionBlockTests {
  @Test("blocks of more than one image fit the cache")
  func blocksFitTheCache() {
    for testCase in ConvolutionCase.all {
      let g = testCase.geometry
      for count in [1, 2, 6, 15, 16, 17, 256] {
        let size = g.imagesPerColumnMatrix(count: count)
        #expect(size >= 1 && size <= count, "\(testCase.name), \(count) images")
        #expect(size == 1 || size * g.positions * g.patchCount <= 1 << 18)
      }
    }
  }

  @Test(
    "the cases with several blocks do have several blocks",
    arguments: [("6 images", 5), ("17 images", 14)])
  func casesUseSeveralBlocks(prefix: String, size: Int) throws {
    let testCase = try #require(ConvolutionCase.all.first { $0.name.hasPrefix(prefix) })
    #expect(testCase.geometry.imagesPerColumnMatrix(count: testCase.images[0]) == size)
  }

  @Test("a pointwise convolution needs no columns; others need one block's")
  func workspace() {
    for testCase in ConvolutionCase.all {
      let g = testCase.geometry
      let isPointwise = testCase.name == "1×1"
      #expect(g.isPointwise == isPointwise, "\(testCase.name)")
      let block = g.imagesPerColumnMatrix(count: 16) * g.positions * g.patchCount
      let rows = isPointwise ? 16 * g.positions : block / g.patchCount
      #expect(
        kernels.workspaceCount(ConvolutionPlan(g, .filterGradient, upTo: .im2col), count: 16)
          == (isPointwise ? 0 : block) + kernels.productWorkspaceCount(inner: rows))
    }
  }
}
