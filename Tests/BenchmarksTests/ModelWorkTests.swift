import Autoencoders
import Autograd
import Benchmarks
import Configurations
import Models
import Tensors
import TestSupport
import Testing
import Training

@Suite("The work of a model")
struct ModelWorkTests {
  private func work(_ settings: String...) throws -> ModelWork {
    let configuration = try ConfigurationReader.read(
      yaml: "{}", name: "test", overrides: settings)
    let image = ImageShape(height: 32, width: 32, channels: 3)
    let model = try VQVAE(
      configuration, ImageFacts(image: image, trainingCount: 1, variance: 1))
    return ModelWork(
      of: model, ParameterValues(initial: model.parameters, seed: 1), image: image)
  }

  @Test("a step of the default model with batch size 256 has 67.5 GFLOP", arguments: ["vq", "ema"])
  func flop(kind: String) throws {
    // Multiply-adds per image: output positions · kernel · channels · filters.
    //   encoder.conv1      16·16 · 16 ·   3 ·  64 =    786,432
    //   encoder.conv2        8·8 · 16 ·  64 · 128 =  8,388,608
    //   encoder.conv3        8·8 ·  9 · 128 · 128 =  9,437,184
    //   four blocks     4 · (8·8 ·  9 · 128 ·  32 =  2,359,296
    //                      + 8·8 ·  1 ·  32 · 128 =    262,144) = 10,485,760
    //   encoder.project      8·8 ·  1 · 128 ·  64 =    524,288
    //   decoder.conv1        8·8 ·  9 ·  64 · 128 =  4,718,592
    //   decoder.upsample1    8·8 · 16 ·  64 · 128 =  8,388,608
    //   decoder.upsample2  16·16 · 16 ·   3 ·  64 =    786,432
    //   total                                       43,515,904
    // Three times that, minus the gradient with respect to the images (786,432), plus the distances,
    // 8·8 · 512 · 64 = 2,097,152: 131,858,432 multiply-adds.
    let work = try work("quantizer.kind=\(kind)")
    #expect(work.distances == 2_097_152)
    #expect(work.flopPerImage == 2 * 131_858_432)
    #expect(work.flopPerImage * 256 == 67_511_517_184)
  }

  @Test("a quantizer without a codebook computes no distances", arguments: ["fsq", "lfq"])
  func withoutDistances(kind: String) throws {
    let work = try work("quantizer.kind=\(kind)")
    #expect(work.distances == 0 && work.flopPerImage > 0)
  }

  @Test("a step of the hierarchical model with batch size 256 has 91.3 GFLOP")
  func flopOfTwoLevels() throws {
    // As above; encoder and decoder of a level have the same work:
    //   encoder_bottom and decoder_bottom     2 · (786,432 + 8,388,608 + 9,437,184 + 2 · 2,621,440)
    //   encoder_top and decoder_top, on 4×4   2 · (4·4 · (16 · 128 · 64  +  9 · 64 · 128)
    //                                              + 2 · 4·4 · (9 · 128 · 32 + 32 · 128))
    //   project_top                           4·4 · 128 · 64
    //   project_bottom                        8·8 · 192 · 64
    //   upsample_top                          4·4 · 16 · 64 · 64
    //   total                                 58,851,328
    // Three times that, minus the gradient with respect to the images, plus the distances of 16 + 64
    // vectors.
    let work = try work("model.architecture=hierarchical")
    #expect(work.distances == (16 + 64) * 512 * 64)
    #expect(work.flopPerImage == 2 * (3 * 58_851_328 - 786_432 + 2_621_440))
  }

  @Test("every layer has its products, and the images have no gradient")
  func layers() throws {
    let work = try work("model.residual_layers=1", "model.preset=sonnet")
    let layers = [
      "encoder.conv1", "encoder.conv2", "encoder.conv3", "encoder.residual.0.conv1",
      "encoder.residual.0.conv2", "encoder.project", "decoder.conv1", "decoder.residual.0.conv1",
      "decoder.residual.0.conv2", "decoder.upsample1", "decoder.upsample2",
    ]
    let expected = layers.flatMap { layer in
      ["forward"] + (layer == "encoder.conv1" ? [] : ["inputGradient"]) + ["filterGradient"]
    }
    #expect(work.entries.map(\.role.rawValue) == expected)
    var order: [String] = []
    for entry in work.entries where order.last != entry.layer { order.append(entry.layer) }
    #expect(order == layers)
    // The layers of the sonnet preset have biases, which only the forward pass adds.
    #expect(work.entries.allSatisfy { $0.call.hasBias == ($0.role == .forward) })
  }

  @Test("a transposed convolution computes images, and its input gradient computes feature maps")
  func transposed() throws {
    let entries = try work().entries.filter { $0.layer == "decoder.upsample2" }
    #expect(entries.map(\.call.product) == [.images, .maps, .filters])
    for entry in entries {
      #expect(entry.call.images == [1, 32, 32, 3])
      #expect(entry.call.maps == [1, 16, 16, 64])
      #expect(entry.call.filters == [4, 4, 3, 64])
    }
  }

  @Test("equal calls are listed once")
  func calls() throws {
    let work = try work()
    #expect(Set(work.calls) == Set(work.entries.map(\.call)))
    #expect(work.calls.count == Set(work.calls).count)
    // 15 layers with three entries each, minus the gradient with respect to the images.
    #expect(work.entries.count == 44)
    // Seven shapes of convolutions (the four blocks share theirs) with three products each, minus that
    // gradient. The filter gradients of the two transposed convolutions are among them already; their other
    // products differ in whether they have biases.
    #expect(work.calls.count == 24)
  }
}
