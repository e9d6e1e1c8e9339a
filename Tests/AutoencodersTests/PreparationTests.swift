import Autoencoders
import Autograd
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

/// A quantizer whose initial codewords are the first vectors of its sample. Otherwise it is `base`.
private struct SampledCodebook: Quantizer {
  let base: VectorQuantizer

  var alphabet: [Int] { base.alphabet }
  var dimension: Int { base.dimension }
  var parameters: [Parameter] { base.parameters }
  var codebook: Codebook? { base.codebook }

  func quantize(_ z: Variable, in shard: ShardContext) -> Quantized {
    base.quantize(z, in: shard)
  }
  func codes(of z: Tensor, _ values: ParameterValues) -> Codes { base.codes(of: z, values) }
  func codewords(_ codes: Codes, on tape: Tape) -> Variable { base.codewords(codes, on: tape) }

  func prepare(
    _ state: inout ModelState, seed _: UInt64, sample: (Int) throws -> Tensor
  ) throws {
    let vectors = try sample(2)
    let shape = base.vectors.parameter.shape
    state.values[base.vectors.parameter] = Tensor(
      shape, Array(vectors.elements.prefix(shape.count)))
  }
}

@Suite("Preparing a model before its first step")
struct PreparationTests {
  /// The second latent is the difference between the image and the first codeword, so its sample depends on
  /// the prepared codebook of the first.
  private struct TwoStages: Architecture {
    let latents = [
      Latent(name: "first", height: 1, width: 4), Latent(name: "second", height: 1, width: 4),
    ]
    var parameters: [Parameter] { [] }

    func encode(
      _ images: Variable, quantize: (_ vectors: Variable, _ i: Int) -> Variable
    ) -> [Variable] {
      let first = quantize(images, 0)
      return [first, quantize(images - first, 1)]
    }

    func decode(_ codewords: [Variable]) -> Variable { codewords[0] + codewords[1] }
  }

  @Test(
    "each quantizer gets the vectors of its latent, computed with the quantizers prepared before")
  func samples() throws {
    let architecture = TwoStages()
    let quantizers = architecture.latents.map { latent in
      SampledCodebook(
        base: VectorQuantizer(
          Codebook(
            latent.name, codewords: 2, dimension: 3, initializer: .zeros, role: .trained),
          commitment: 0.25))
    }
    let model = VQVAE(architecture: architecture, quantizers: quantizers)
    var state = ModelState(initial: model.parameters, seed: 1)
    let images = Tensor([1, 1, 4, 3], [0, 0, 0, 8, 8, 8, 1, 0, 0, 9, 9, 7])
    var reads = 0
    try model.prepare(&state, seed: 1) { count in
      #expect(count == 1, "an image has four vectors")
      reads += 1
      return images
    }
    #expect(reads == 2)
    let codebooks = quantizers.map { state.values[$0.base.vectors.parameter].elements }
    #expect(codebooks[0] == [0, 0, 0, 8, 8, 8])
    // The first two pixels are codewords themselves, so the differences are zero.
    #expect(codebooks[1] == [0, 0, 0, 0, 0, 0])
  }

  @Test("the quantizers of the program do not change the state and read no image")
  func byDefault() throws {
    let small = try SmallModel(.hierarchical, averages: .keep)
    var state = ModelState(values: small.values, momentsOf: small.model.parameters)
    struct Unexpected: Error {}
    try small.model.prepare(&state, seed: 1) { _ in throw Unexpected() }
    for parameter in small.model.parameters {
      #expect(state.values[parameter].elements == small.values[parameter].elements)
    }
  }
}
