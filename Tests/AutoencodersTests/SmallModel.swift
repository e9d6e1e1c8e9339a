import Autoencoders
import Autograd
import NN
import Quantizers
import Runtime
import Tensors
import TestSupport
import Testing

extension StraightThrough {
  /// Those whose gradient is that of the codeword, as in the goldens.
  static let unchanged: [StraightThrough] = [.function, .detach]
}

/// A model of the goldens' size, with its initial values and batches of four images: 16 codewords of 4;
/// residual with hidden 8 and 2×4 on images of 8×8, strided with 4, 6 and 8 channels on images of 32×16,
/// resblock with levels of 4 and 6 channels in 2 groups on images of 8×8, hierarchical with hidden 8 and 2×4
/// on images of 16×16 and 16 codewords for each level.
struct SmallModel {
  /// A golden of a whole model.
  enum Name: String, CaseIterable {
    case zalando, sonnet, strided, hierarchical
    case resblockNearest = "resblock_nearest"
    case resblockNearestConvolution = "resblock_nearest_conv"
    case resblockTransposed = "resblock_transposed"

    func architecture(image: ImageShape) -> any Architecture {
      func build<Named: NamedArchitecture>(
        _ type: Named.Type, _ set: (inout Named.Options) -> Void
      ) -> any Architecture {
        var options = Named.Options()
        set(&options)
        return type.init(options, image: image, dimension: 4)
      }
      func residual(_ preset: ResidualArchitecture.Preset) -> any Architecture {
        build(ResidualArchitecture.self) {
          ($0.preset, $0.hidden, $0.residualHidden) = (preset, 8, 4)
        }
      }
      func resblock(
        _ downsampling: Downsampling.Kind, _ upsampling: Upsampling.Kind, blocks: Int = 1
      ) -> any Architecture {
        build(ResblockArchitecture.self) {
          ($0.widths, $0.blocks, $0.block.groups) = ([4, 6], blocks, 2)
          ($0.downsampling, $0.upsampling) = (downsampling, upsampling)
        }
      }
      return switch self {
      case .zalando: residual(.zalando)
      case .sonnet: residual(.sonnet)
      case .strided:
        StridedArchitecture(
          widths: (4, 6, 8), image: image, dimension: 4)
      case .resblockNearest: resblock(.padded, .nearest, blocks: 2)
      case .resblockNearestConvolution: resblock(.padded, .nearestConvolution)
      case .resblockTransposed: resblock(.asymmetric, .transposed)
      case .hierarchical:
        build(HierarchicalArchitecture.self) { ($0.hidden, $0.residualHidden) = (8, 4) }
      }
    }
  }

  let golden: Golden
  let model: VQVAE
  let values: ParameterValues
  let variance: Double
  /// Batches of four, `[batches, 4, H, W, 3]`.
  let images: Tensor

  init(
    _ name: Name, straightThrough: StraightThrough = .function,
    averages unused: UnusedCodeword? = nil, objective: Objective = Objective(),
    weighting: CommitmentWeighting = .paper, distances: NearestSearch = .addmm,
    quantizer: ((_ latent: String) -> any Quantizer)? = nil
  ) throws {
    golden = try Golden(name.rawValue)
    images = try golden("images")
    let architecture = name.architecture(
      image: ImageShape(height: images.shape[2], width: images.shape[3], channels: 3))
    variance = Double(try golden("variance").elements[0])
    var objective = objective
    objective.variance = variance
    model = VQVAE(
      architecture: architecture,
      quantizers: architecture.latents.map { latent in
        if let quantizer { return quantizer(latent.name) }
        let codebook = Codebook(
          latent.name, codewords: 16, dimension: 4, initializer: .zeros,
          role: unused == nil ? .trained : .buffer, straightThrough: straightThrough,
          distances: distances)
        return if let unused {
          EMAQuantizer(codebook, commitment: 0.25, decay: 0.9, unused: unused)
        } else {
          VectorQuantizer(
            codebook, commitment: 0.25, codebookWeight: weighting == .both ? 0.25 : 1)
        }
      }, objective: objective)
    let source = golden
    values = ParameterValues(
      try Dictionary(
        uniqueKeysWithValues: model.parameters.map {
          ($0.name, try Self.load($0, "parameters.", from: source))
        }))
  }

  /// The golden's tensor for a parameter; averages are initially zero.
  func load(_ parameter: Parameter, _ prefix: String) throws -> Tensor {
    try Self.load(parameter, prefix, from: golden)
  }

  private static func load(
    _ parameter: Parameter, _ prefix: String, from golden: Golden
  ) throws -> Tensor {
    let name = prefix + parameter.name
    guard golden.has(name) else {
      try #require(parameter.name.contains(".ema."), "the golden has no \(name)")
      return Tensor(zeros: parameter.shape)
    }
    return try parameter.layout == .filters ? golden.filters(name) : golden(name)
  }

  /// Four images.
  func batch(_ number: Int) -> Tensor {
    let shape: Shape = [4, images.shape[2], images.shape[3], 3]
    let size = shape.count
    return Tensor(shape, Array(images.elements[(number * size)..<((number + 1) * size)]))
  }

  func forward(batch number: Int, on tape: Tape) throws -> VQVAE.TrainingOutput {
    model(tape.constant(batch(number)), in: ShardContext(validCount: 4, batchSize: 4))
  }

  /// Makes ten steps of Adam at 1e-3 and compares the losses before each with a golden `[10, losses]`.
  func train(
    _ trajectory: String, losses: (VQVAE.TrainingOutput, Int) throws -> [Double]
  ) throws -> ParameterValues {
    let (expected, width) = (try golden(trajectory).elements, try golden(trajectory).shape[1])
    var state = ModelState(values: values, momentsOf: model.parameters)
    let optimizer = Adam(model.parameters, options: .init(learningRate: 1e-3))
    for step in 1...10 {
      let tape = Tape(state.values)
      let forward = try forward(batch: step - 1, on: tape)
      for (i, found) in try losses(forward, step).enumerated() {
        let reference = Double(expected[(step - 1) * width + i])
        #expect(abs(found / reference - 1) < 1e-5, "\(trajectory), step \(step), loss \(i)")
      }
      let gradients = tape.backward(from: forward.loss).byName
      optimizer.update(&state, step: step, pool: WorkerPool(threads: 1)) { gradients[$0.name] }
      for (quantizer, statistics) in zip(model.quantizers, forward.statistics) {
        quantizer.update(&state, with: statistics, step: step)
      }
    }
    return state.values
  }
}

/// A quantizer without a codebook, of four components, with the settings of scripts/goldens/quantizers.
func quantizerWithoutCodebook(_ kind: String, _ latent: String) -> any Quantizer {
  if kind == "fsq" { return FiniteScalarQuantizer(ScalarLevels([5, 4, 3, 6])) }
  return LookupFreeQuantizer(
    latent, bits: 4, commitment: 0.25, entropy: 0.5, diversity: 0.8, temperature: 2, decay: 0.9)
}
