import BLAS
import KernelTypes
import Kernels
import Tensors
import TestSupport
import Testing

/// OpenBLAS does not promise to compute all rows of a product alike: its small-matrix kernels and the edges
/// of its tiles may sum in another order (its Haswell and Zen kernels treat rows 0…5 and 6…11 of every twelve
/// differently). This must not affect the default model, or an image's codes would depend on its batch.
@Suite("An image's result does not depend on its neighbours") struct NeighbourTests {
  init() { BLAS.useOneThread() }

  /// The layers of the default model in a shard of 16, feature maps whose rows share a tile, and a layer that
  /// is computed by its mirrored convolution.
  static let layers: [ConvolutionCase] = [
    ConvolutionCase(
      "encoder 1", [16, 32, 32, 3], filters: 64, kernel: (4, 4), stride: 2, padding: Padding(1)),
    ConvolutionCase(
      "encoder 2", [16, 16, 16, 64], filters: 128, kernel: (4, 4), stride: 2, padding: Padding(1)),
    ConvolutionCase(
      "encoder 3", [16, 8, 8, 128], filters: 128, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase(
      "residual 3×3", [16, 8, 8, 128], filters: 32, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase("residual 1×1", [16, 8, 8, 32], filters: 128, kernel: (1, 1)),
    ConvolutionCase("to vectors", [16, 8, 8, 128], filters: 64, kernel: (1, 1)),
    ConvolutionCase(
      "decoder 1", [16, 8, 8, 64], filters: 128, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase(
      "2×2 maps", [16, 4, 4, 64], filters: 64, kernel: (4, 4), stride: 2, padding: Padding(1)),
    ConvolutionCase(
      "to a picture", [16, 16, 16, 64], filters: 3, kernel: (3, 3), padding: Padding(1)),
    // Fourteen images fill the workspace, and the last two do not fill a tile.
    ConvolutionCase("1×1 maps", [16, 3, 3, 512], filters: 32, kernel: (3, 3)),
  ]

  @Test("outputs have the same bytes at any place in any batch", arguments: layers)
  func forward(layer: ConvolutionCase) {
    var generator = SeededGenerator(test: 1)
    let filters = generator.tensor(layer.filterShape)
    let bias = generator.tensor([layer.filters])
    expectSameBytes(layer.images, &generator) {
      $0.convolved(with: filters, bias: bias, window: layer.window)
    }
  }

  @Test(
    "outputs of a transposed convolution have the same bytes at any place in any batch",
    arguments: layers)
  func transposed(layer: ConvolutionCase) {
    var generator = SeededGenerator(test: 2)
    let filters = generator.tensor(layer.filterShape)
    let bias = generator.tensor([layer.images.width])
    expectSameBytes(layer.mapShape, &generator) {
      $0.transposedConvolved(
        with: filters, bias: bias, window: layer.window, imageShape: layer.images)
    }
  }

  @Test("outputs have the same bytes in batches of any size", arguments: layers, [1, 2, 7, 8, 15])
  func counts(layer: ConvolutionCase, count: Int) {
    var generator = SeededGenerator(test: 3)
    let filters = generator.tensor(layer.filterShape)
    let residual = generator.tensor(layer.mapShape)
    func first(_ tensor: Tensor) -> Tensor {
      var extents = tensor.shape.extents
      let size = tensor.count / extents[0]
      extents[0] = count
      return Tensor(Shape(extents), Array(tensor.elements[..<(count * size)]))
    }
    let images = generator.tensor(layer.images)
    func forward(_ images: Tensor, _ residual: Tensor) -> Tensor {
      images.convolved(
        with: filters, bias: nil, residual: residual, relu: true, window: layer.window)
    }
    #expect(
      bits(forward(first(images), first(residual)).elements)
        == bits(first(forward(images, residual)).elements))
    func transposed(_ maps: Tensor) -> Tensor {
      maps.transposedConvolved(
        with: filters, bias: nil, window: layer.window,
        imageShape: [maps.shape[0], layer.images[1], layer.images[2], layer.images[3]])
    }
    #expect(
      bits(transposed(first(residual)).elements) == bits(first(transposed(residual)).elements))
  }

  /// Puts one image at several places of batches whose other images differ, and compares its results.
  private func expectSameBytes(
    _ shape: Shape, _ generator: inout SeededGenerator,
    sourceLocation: SourceLocation = #_sourceLocation, function: (Tensor) -> Tensor
  ) {
    let size = shape.count / shape[0]
    let image = generator.tensor([size]).elements
    var first: [UInt32]?
    for place in [0, 7, 15] {
      var batch = generator.tensor(shape).elements
      batch.replaceSubrange(place * size..<(place + 1) * size, with: image)
      let results = function(Tensor(shape, batch))
      let part = results.count / shape[0]
      let result = bits(results.elements[place * part..<(place + 1) * part])
      // Counted, so that a failure does not print thousands of numbers.
      let differing = zip(result, first ?? result).count { $0 != $1 }
      #expect(
        differing == 0, "\(differing) of \(part) floats at place \(place) differ from place 0",
        sourceLocation: sourceLocation)
      first = first ?? result
    }
  }
}
