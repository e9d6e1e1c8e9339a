import Autoencoders
import Autograd
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

/// Which parameters each of the three losses reaches ("Debug note", docs/reproduced-systems.md):
///
///                    encoder   codebook   decoder
///     reconstruction    x         0          x
///     codebook          0         x          0
///     commitment        x         0          0
@Suite("Each loss has gradients for its own parameters, and exact zeros elsewhere")
struct RoutingTests {
  enum Loss: CaseIterable, Sendable {
    case reconstruction, codebook, commitment

    /// Layers before a quantizer. With two levels, the top's decoder is before the bottom's quantizer.
    private static let encoder: Set = [
      "encoder", "before_quantize", "quant_conv",
      "encoder_bottom", "encoder_top", "project_top", "decoder_top", "project_bottom",
    ]
    private static let decoder: Set = [
      "decoder", "after_quantize", "post_quant_conv", "upsample_top", "decoder_bottom",
    ]

    var reaches: Set<String> {
      switch self {
      case .reconstruction: Self.encoder.union(Self.decoder)
      case .codebook: ["quantizer", "quantizer_top", "quantizer_bottom"]
      case .commitment: Self.encoder
      }
    }

    func term(_ forward: VQVAE.TrainingOutput) -> Variable? {
      switch self {
      case .reconstruction: forward.reconstructionLoss
      case .codebook: forward.term("codebook")
      case .commitment: forward.term("commitment")
      }
    }
  }

  private static let models = [
    SmallModel.Name.zalando, .strided, .resblockTransposed, .hierarchical,
  ].flatMap { name in
    StraightThrough.allCases.map { (name, $0) }
  }

  @Test("the routing matrix", arguments: models, Loss.allCases)
  func matrix(model: (name: SmallModel.Name, StraightThrough), loss: Loss) throws {
    let small = try SmallModel(model.name, straightThrough: model.1)
    let tape = Tape(small.values)
    let term = try #require(loss.term(try small.forward(batch: 0, on: tape)))
    let gradients = tape.backward(from: term).byName
    for parameter in small.model.parameters {
      let part = try #require(parameter.name.split(separator: ".").first.map(String.init))
      let gradient = gradients[parameter.name]
      if loss.reaches.contains(part) {
        let found = try #require(gradient, "\(parameter.name) has no gradient")
        #expect(found.elements.contains { $0 != 0 }, "\(parameter.name)")
      } else {
        #expect(gradient.map { $0.elements.allSatisfy { $0 == 0 } } ?? true, "\(parameter.name)")
      }
    }
  }

  /// The paths of single levels, which the matrix does not distinguish. The other level is replaced by
  /// constant codewords.
  @Test(
    "the gradient passes each of two levels without the other", arguments: [0, 1],
    StraightThrough.allCases)
  func levels(cutOff level: Int, straightThrough: StraightThrough) throws {
    let small = try SmallModel(.hierarchical, straightThrough: straightThrough)
    let (architecture, quantizers) = (small.model.architecture, small.model.quantizers)
    let tape = Tape(small.values)
    let codewords = architecture.encode(tape.constant(small.batch(0))) { z, i in
      let output = quantizers[i].quantize(z, in: ShardContext(validCount: 4, batchSize: 4)).output
      return i == level ? output.detach() : output
    }
    let gradients = tape.backward(from: architecture.decode(codewords).sum()).byName
    let found = Set(
      gradients.filter { $0.value.elements.contains { $0 != 0 } }.keys
        .map { String($0.prefix { $0 != "." }) })
    // With the top detached, the layers that compute the bottom get a gradient, the decoder of the top among
    // them, but not the encoder of the top. With the bottom detached, only the layers that compute the top do.
    let reached: Set =
      [
        0: ["encoder_bottom", "decoder_top", "project_bottom", "upsample_top", "decoder_bottom"],
        1: ["encoder_bottom", "encoder_top", "project_top", "upsample_top", "decoder_bottom"],
      ][level] ?? []
    #expect(found == reached)
  }

  @Test("with moving averages no loss reaches the codebook", arguments: StraightThrough.allCases)
  func movingAverage(straightThrough: StraightThrough) throws {
    let small = try SmallModel(
      .zalando, straightThrough: straightThrough, averages: .keep)
    let tape = Tape(small.values)
    let gradients = tape.backward(from: try small.forward(batch: 0, on: tape).loss).byName
    #expect(gradients["quantizer.codebook"] == nil)
    #expect(gradients["encoder.conv1.weight"] != nil)
  }

  /// The quantizers without a codebook, and the terms that only the encoder can lower.
  private static let codebookFree: [(kind: String, term: String)] = [
    ("fsq", "reconstruction"), ("lfq", "reconstruction"), ("lfq", "commitment"),
    ("lfq", "entropy"), ("lfq", "diversity"),
  ]

  @Test(
    "without a codebook the reconstruction reaches all layers, and every term the encoder alone",
    arguments: codebookFree, [SmallModel.Name.zalando, .hierarchical])
  func withoutCodebook(row: (kind: String, term: String), name: SmallModel.Name) throws {
    let small = try SmallModel(name) { quantizerWithoutCodebook(row.kind, $0) }
    // At a uniform average, the start, no code is better than another.
    var values = small.values
    for parameter in small.model.parameters where parameter.role == .buffer {
      var generator = SeededGenerator(test: 1)
      values[parameter] = Tensor(parameter.shape, (0..<16).map { _ in generator.uniform(0, 1) })
    }
    let tape = Tape(values)
    let forward = try small.forward(batch: 0, on: tape)
    let isReconstruction = row.term == "reconstruction"
    let term = isReconstruction ? forward.reconstructionLoss : try #require(forward.term(row.term))
    let gradients = tape.backward(from: term).byName
    let reached = isReconstruction ? Loss.reconstruction.reaches : Loss.commitment.reaches
    for parameter in small.model.parameters {
      let part = String(parameter.name.prefix { $0 != "." })
      let isZero = gradients[parameter.name].map { $0.elements.allSatisfy { $0 == 0 } } ?? true
      #expect(isZero != reached.contains(part), "\(parameter.name)")
    }
  }

  /// The test would fail with β on both terms, and with β on the codebook term alone.
  @Test("β multiplies the commitment term alone", arguments: StraightThrough.allCases)
  func commitmentWeight(straightThrough: StraightThrough) throws {
    let small = try SmallModel(.zalando, straightThrough: straightThrough)
    func gradients(of loss: (VQVAE.TrainingOutput) -> Variable?) throws -> [String: Tensor] {
      let tape = Tape(small.values)
      return tape.backward(from: try #require(loss(try small.forward(batch: 0, on: tape)))).byName
    }
    let total = try gradients { $0.loss }
    let reconstruction = try gradients { $0.reconstructionLoss }
    let codebook = try gradients { $0.term("codebook") }
    let commitment = try gradients { $0.term("commitment") }
    for name in total.keys {
      var sum = DoubleTensor(zeros: try #require(total[name]).shape.extents)
      for (part, weight) in [(reconstruction, 1.0), (codebook, 1), (commitment, 0.25)] {
        guard let gradient = part[name] else { continue }
        for (i, element) in gradient.elements.enumerated() {
          sum.elements[i] += weight * Double(element)
        }
      }
      // The same sums of Float products in another order.
      expectClose(try #require(total[name]), sum, tolerance: 1e-5, name)
    }
  }
}
