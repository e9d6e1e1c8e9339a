import Autoencoders
import Autograd
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

/// Rounds each of two numbers to 0…K−1: a quantizer with two codes at a position, without codebook,
/// parameters or loss terms. It is a single type, which the program does not know.
private struct Rounding: Quantizer {
  let alphabet = [3, 5]
  let dimension = 2
  var parameters: [Parameter] { [] }

  func quantize(_ z: Variable, in _: ShardContext) -> Quantized {
    let codes = codes(of: z.value, ParameterValues([:]))
    let rounded = codewords(codes, on: z.tape)
    return Quantized(output: z + (rounded - z).detach(), codes: codes, terms: [])
  }

  func codes(of z: Tensor, _: ParameterValues) -> Codes {
    let indices = z.elements.enumerated().map { i, x in
      Int32(min(max(x.rounded(), 0), Float(alphabet[i % 2] - 1)))
    }
    return Codes(Shape(z.shape.extents), indices)
  }

  func codewords(_ codes: Codes, on tape: Tape) -> Variable {
    tape.constant(Tensor(codes.shape, codes.indices.map(Float.init)))
  }
}

/// Passes images of two channels through.
private struct Identity: Architecture {
  let latents = [Latent(name: "quantizer", height: 2, width: 2)]
  var parameters: [Parameter] { [] }

  func encode(
    _ images: Variable, quantize: (_ vectors: Variable, _ i: Int) -> Variable
  ) -> [Variable] { [quantize(images, 0)] }

  func decode(_ codewords: [Variable]) -> Variable { codewords[0] }
}

@Suite("A quantizer without a codebook, with two codes at a position")
struct CodebookFreeQuantizerTests {
  private let model = VQVAE(
    architecture: Identity(), quantizers: [Rounding()], objective: Objective(variance: 1))
  private let values = ParameterValues([:])
  /// Two images of 2×2 with two channels; the second is padding.
  private let images = Tensor(
    [2, 2, 2, 2], [0.2, 4.9, 1, 0, 2.4, 3.1, 1.6, 0.4] + Array(repeating: 0, count: 8))

  @Test("it trains: the loss is the reconstruction's, and each slot has its usage")
  func shard() throws {
    let shard = ShardContext(validCount: 1, batchSize: 1)
    let result = model.shard(images, in: shard, on: Tape(values))
    // Differences 0.2, 0.9, 0, 0, 0.4, 0.1, 0.4, 0.4 over eight numbers.
    #expect(abs(result.loss.value.scalar - (0.04 + 0.81 + 0.16 + 0.01 + 0.16 + 0.16) / 8) < 1e-6)
    #expect(result.measurements.metrics.map(\.name) == ["nmse"])
    let usage = result.measurements.usage
    #expect(usage.map(\.name) == ["quantizer.0", "quantizer.1"])
    #expect(usage.map(\.counts) == [[1, 1, 2], [2, 0, 0, 1, 1]])
    #expect(result.statistics.isEmpty && model.statisticsShapes.isEmpty)
    // No codewords that could be small beside the vectors, and no commitment term.
    #expect(result.measurements.scales.map(\.ratio) == [nil])
    #expect(result.measurements.scales.map(\.commitment) == [nil])
    #expect(
      model.watchedCodebooks == [
        WatchedCodebook("quantizer.0", size: 3, codesPerExample: 4),
        WatchedCodebook("quantizer.1", size: 5, codesPerExample: 4),
      ])
  }

  @Test("it is evaluated, and decoding its codes gives the reconstruction")
  func evaluate() throws {
    let found = model.evaluate(images, in: ShardContext(validCount: 1, batchSize: 1), values)
    #expect(abs(try #require(found["mse"]) - 1.34 / 8) < 1e-6)
    #expect(found.usage.map(\.total) == [4, 4])
    let (reconstruction, codes) = model.reconstruct(images, values)
    #expect(codes[0].shape == [2, 2, 2, 2])
    #expect(model.decode(codes, values).elements == reconstruction.elements)
    // log₂ 15 bits at each of four positions.
    #expect(abs(model.codeBits - 4 * 3.9068905956) < 1e-9)
  }
}
