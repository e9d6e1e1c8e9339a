import Autograd
import Kernels
import NN
import Tensors
import TestSupport
import Testing
import VectorQuantization

/// A model of the goldens' size, with its start and its batches: hidden 8, 2×4 residual, 16 codewords of
/// 4, images of 8×8.
struct SmallModel {
  let golden: Golden
  let model: VQVAE
  let values: ParameterValues
  let variance: Double
  /// Batches of four, `[batches, 4, 8, 8, 3]`.
  let images: Tensor

  init(
    _ name: String, preset: ResidualArchitecture.Preset,
    straightThrough: StraightThrough = .function, learning: Quantizer.Learning = .gradient,
    objective: Objective = Objective(), distances: DistanceForm = .addmm
  ) throws {
    golden = try Golden(name)
    var options = ResidualArchitecture.Options()
    options.preset = preset
    options.hidden = 8
    options.residualHidden = 4
    let architecture = ResidualArchitecture(options, imageHeight: 8, imageWidth: 8, dimension: 4)
    model = VQVAE(
      architecture: architecture,
      quantizers: [
        Quantizer(
          "quantizer", codewords: 16, dimension: 4, start: .zeros, learning: learning,
          straightThrough: straightThrough, distances: distances)
      ], commitment: 0.25, objective: objective)
    variance = Double(try golden("variance").elements[0])
    images = try golden("images")
    let source = golden
    values = ParameterValues(
      try Dictionary(
        uniqueKeysWithValues: model.parameters.map {
          ($0.name, try Self.load($0, "parameters.", from: source))
        }))
  }

  /// A tensor of the golden that is shaped like a parameter; averages start at zero.
  func load(_ parameter: Parameter, _ prefix: String) throws -> Tensor {
    try Self.load(parameter, prefix, from: golden)
  }

  private static func load(
    _ parameter: Parameter, _ prefix: String, from golden: Golden
  ) throws -> Tensor {
    let name = prefix + parameter.name
    guard golden.has(name) else {
      try #require(parameter.name.hasPrefix("ema."), "the golden has no \(name)")
      return Tensor(zeros: parameter.shape)
    }
    return try parameter.layout == .filters ? golden.filters(name) : golden(name)
  }

  /// Four images.
  func batch(_ number: Int) -> Tensor {
    let size = 4 * 8 * 8 * 3
    return Tensor([4, 8, 8, 3], Array(images.elements[(number * size)..<((number + 1) * size)]))
  }

  func forward(batch number: Int, on tape: Tape) throws -> VQVAE.Forward {
    model(tape.constant(batch(number)), count: 4, batchSize: 4, variance: variance)
  }

  /// Makes ten steps of Adam at 1e-3 and compares the losses before each with a golden `[10, 3]`.
  func train(
    _ trajectory: String, losses: (VQVAE.Forward, Int) throws -> [Double]
  ) throws -> ParameterValues {
    let expected = try golden(trajectory).elements
    var values = values
    var optimizer = Adam(model.parameters, options: .init(learningRate: 1e-3))
    for step in 1...10 {
      let tape = Tape(values)
      let forward = try forward(batch: step - 1, on: tape)
      for (i, found) in try losses(forward, step).enumerated() {
        let reference = Double(expected[(step - 1) * 3 + i])
        #expect(abs(found / reference - 1) < 1e-5, "\(trajectory), step \(step), loss \(i)")
      }
      let gradients = tape.backward(from: forward.loss).byName
      optimizer.update(&values, gradients: gradients, step: step, pool: WorkerPool(threads: 1))
      let quantizer = model.quantizers[0]
      if case .movingAverage(let average) = quantizer.learning,
        let statistics = forward.statistics[0]
      {
        average.update(&values, codebook: quantizer.codebook, with: statistics, step: step)
      }
    }
    return values
  }
}
