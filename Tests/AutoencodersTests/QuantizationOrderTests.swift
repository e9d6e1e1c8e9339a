import Autoencoders
import Autograd
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

/// An encoder may need its second latent first. Results are still stored by the latent's index.
@Suite("The order in which latents are quantized")
struct QuantizationOrderTests {
  /// Two latents of different sizes, whose vectors are constants.
  private struct Halves: Architecture {
    let order: [Int]
    let latents = [
      Latent(name: "upper", height: 1, width: 4), Latent(name: "lower", height: 2, width: 4),
    ]
    var parameters: [Parameter] { [] }

    func encode(
      _ images: Variable, quantize: (_ vectors: Variable, _ i: Int) -> Variable
    ) -> [Variable] {
      var codewords = [Variable?](repeating: nil, count: 2)
      for i in order {
        // The lower latent has other values, so that the two choose other codewords.
        let rows = latents[i].height
        let vectors = images.tape.constant(
          Tensor([1, rows, 4, 3], (0..<(rows * 12)).map { Float($0 % 5) + Float(10 * i) }))
        codewords[i] = quantize(vectors, i)
      }
      return codewords.compactMap(\.self)
    }

    func decode(_ codewords: [Variable]) -> Variable { codewords[0] }
  }

  private func model(_ order: [Int]) -> VQVAE {
    let architecture = Halves(order: order)
    return VQVAE(
      architecture: architecture,
      quantizers: architecture.latents.map { latent in
        EMAQuantizer(
          Codebook(
            latent.name, codewords: 8, dimension: 3, initializer: .normal(standardDeviation: 3),
            role: .buffer),
          commitment: 0.25, decay: 0.9, unused: .keep)
      })
  }

  @Test("codes, usage and statistics belong to their latent in any order")
  func byIndex() {
    let images = Tensor([1, 1, 4, 3], (0..<12).map(Float.init))
    let found = [[0, 1], [1, 0]].map { order in
      let model = model(order)
      let values = ParameterValues(initial: model.parameters, seed: 3)
      let forward = model(
        Tape(values).constant(images), in: ShardContext(validCount: 1, batchSize: 1))
      return (forward, model.encode(images, values))
    }
    for i in 0..<2 {
      #expect(found[0].0.codes[i].indices == found[1].0.codes[i].indices)
      #expect(found[0].1[i].indices == found[1].1[i].indices)
      #expect(found[0].0.usage[i] == found[1].0.usage[i])
      #expect(
        found[0].0.statistics[i].map(\.elements) == found[1].0.statistics[i].map(\.elements))
    }
    // The latents differ in size, so a swap would show.
    #expect(found[1].0.usage.map(\.total) == [4, 8])
    #expect(found[1].1.map(\.indices.count) == [4, 8])
  }
}
