import Autoencoders
import Autograd
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

/// Passes images of two channels through.
private struct Identity: Architecture {
  let latents = [Latent(name: "quantizer", height: 1, width: 2)]
  var parameters: [Parameter] { [] }

  func encode(
    _ images: Variable, quantize: (_ vectors: Variable, _ i: Int) -> Variable
  ) -> [Variable] { [quantize(images, 0)] }

  func decode(_ codewords: [Variable]) -> Variable { codewords[0] }
}

@Suite("The scale of a latent's vectors")
struct LatentScaleTests {
  /// - Parameters:
  ///   - codebook: two codewords of two numbers.
  ///   - images: `[n, 1, 2, 2]`: two vectors of two numbers for each image.
  private func scale(
    codebook: [Float], images: [Float], validCount: Int,
    straightThrough: StraightThrough = .function
  ) throws -> LatentScale {
    let quantizer = VectorQuantizer(
      Codebook(
        "quantizer", codewords: 2, dimension: 2, initializer: .zeros, role: .trained,
        straightThrough: straightThrough),
      commitment: 0.25)
    let model = VQVAE(architecture: Identity(), quantizers: [quantizer])
    let values = ParameterValues([
      quantizer.vectors.parameter.name: Tensor([2, 2], codebook)
    ])
    let result = model.shard(
      Tensor([images.count / 4, 1, 2, 2], images),
      in: ShardContext(validCount: validCount, batchSize: validCount), on: Tape(values))
    #expect(result.measurements.scales.count == 1)
    return try #require(result.measurements.scales.first)
  }

  @Test(
    "the ratio is that of the root mean squares, of valid images alone",
    arguments: [StraightThrough.function, .detach])
  func ratio(straightThrough: StraightThrough) throws {
    // (0, 6) and (8, 1) choose (0, 3) and (4, 0); the second image is padding.
    let scale = try scale(
      codebook: [0, 3, 4, 0], images: [0, 6, 8, 1, 50, 50, 50, 50], validCount: 1,
      straightThrough: straightThrough)
    #expect(scale.name == "quantizer")
    #expect(abs(try #require(scale.ratio) - (101.0 / 25).squareRoot()) < 1e-12)
    #expect(abs(try #require(scale.commitment) - (9 + 17) / 4.0) < 1e-6)
  }

  @Test("shards add up: the ratio is that of the sums, not the mean of ratios")
  func sum() throws {
    var sum = LatentScale("a", commitment: 1, squares: (8, 1))
    sum += LatentScale("a", commitment: 2, squares: (1, 8))
    #expect(sum == LatentScale("a", commitment: 3, squares: (9, 9)))
    #expect(sum.ratio == 1)
  }

  @Test("the ratio is finite if all chosen codewords are zero")
  func zeros() throws {
    #expect(
      try scale(codebook: [0, 0, 9, 9], images: [1, 1, 1, 1], validCount: 1).ratio
        == LatentScale.largestRatio)
    #expect(try scale(codebook: [0, 0, 9, 9], images: [0, 0, 0, 0], validCount: 1).ratio == 1)
    #expect(LatentScale("a", commitment: nil, squares: (1e30, 1e-30)).ratio == 1e6)
  }

  @Test("without a codebook there is no ratio")
  func noCodebook() {
    #expect(LatentScale("a", commitment: 1, squares: nil).ratio == nil)
  }
}
