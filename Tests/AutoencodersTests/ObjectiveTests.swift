import Autoencoders
import Autograd
import NN
import Quantizers
import Runtime
import Tensors
import TestSupport
import Testing

/// The variants of the loss, among them that of the resblock notebook (docs/reproduced-systems.md), compared
/// with PyTorch and the notebook's own quantizer.
@Suite("Objectives")
struct ObjectiveTests {
  private static let seed004: Objective = {
    var objective = Objective()
    objective.reconstruction = .mse
    objective.reduction = .meanTimesBatch
    return objective
  }()

  private func gradients(
    _ small: SmallModel, batch: Int
  ) throws -> (forward: VQVAE.TrainingOutput, byName: [String: Tensor]) {
    let tape = Tape(small.values)
    let forward = try small.forward(batch: batch, on: tape)
    return (forward, tape.backward(from: forward.loss).byName)
  }

  @Test(
    "the notebook's loss and all its gradients agree with PyTorch",
    arguments: StraightThrough.unchanged, NearestSearch.allCases)
  func seed004(straightThrough: StraightThrough, distances: NearestSearch) throws {
    let small = try SmallModel(
      .zalando, straightThrough: straightThrough, objective: Self.seed004,
      weighting: .both, distances: distances)
    let golden = try Golden("training")
    let first = Int(try golden("seed_004.order").elements[0])
    let (forward, gradients) = try gradients(small, batch: first)
    let expected = try golden("seed_004.losses").elements[0]
    #expect(abs(forward.loss.value.scalar / expected - 1) < 1e-5)
    #expect(gradients.count == small.model.parameters.count)
    for parameter in small.model.parameters {
      let name = "seed_004.gradients.\(parameter.name)"
      let expected = try parameter.layout == .filters ? golden.filters(name) : golden(name)
      expectClose(try #require(gradients[parameter.name]), expected, tolerance: 1e-5, name)
    }
  }

  /// Whole steps: the loss of the notebook, PyTorch's AdamW, `clip_grad_norm_`, `LinearLR` and
  /// `CosineAnnealingLR`.
  @Test(
    "ten steps of the notebook's loss with decay, clipping, warm-up and cosine agree with PyTorch")
  func trajectory() throws {
    let small = try SmallModel(.zalando, objective: Self.seed004, weighting: .both)
    let golden = try Golden("training")
    let order = try golden("seed_004.order").elements.map { Int($0) }
    let (losses, norms) = (
      try golden("seed_004.losses").elements, try golden("seed_004.norms").elements
    )
    let rates = try golden("seed_004.rates").elements
    var rate = LearningRate(peak: 1e-2, steps: 10)
    rate.schedule = .cosine
    rate.end = 1e-4
    rate.warmupSteps = 3
    let clipping = GradientClipping(limit: 2)
    let pool = WorkerPool(threads: 2)
    var state = ModelState(values: small.values, momentsOf: small.model.parameters)
    var optimizer = Adam(
      small.model.parameters, options: .init(learningRate: 0, weightDecay: 0.1))
    for step in 1...10 {
      let tape = Tape(state.values)
      let forward = try small.forward(batch: order[step - 1], on: tape)
      let gradients = tape.backward(from: forward.loss).byName
      let norm = GradientClipping.norm(
        of: small.model.parameters.compactMap { gradients[$0.name] }, pool: pool)
      #expect(abs(forward.loss.value.scalar / losses[step - 1] - 1) < 1e-5, "loss \(step)")
      #expect(abs(norm / Double(norms[step - 1]) - 1) < 1e-4, "norm \(step)")
      optimizer.options.learningRate = rate(step: step)
      #expect(abs(rate(step: step) / Double(rates[step - 1]) - 1) < 1e-7, "rate \(step)")
      optimizer.update(&state, scale: clipping.scale(norm: norm), step: step, pool: pool) {
        gradients[$0.name]
      }
    }
    for (name, key) in [("quantizer.codebook", "codebook"), ("decoder.upsample2.bias", "bias")] {
      let parameter = try #require(small.model.parameters.first { $0.name == name })
      expectClose(
        state.values[parameter], try golden("seed_004.final.\(key)"), tolerance: 1e-4, name)
    }
  }

  @Test("each option changes the loss by its formula and does not change the reported terms")
  func terms() throws {
    let small = try SmallModel(.zalando)
    let forward = try gradients(small, batch: 0).forward
    let reconstruction = Double(forward.reconstructionLoss.value.scalar)
    let codebook = Double(try #require(forward.term("codebook")).value.scalar)
    let commitment = Double(try #require(forward.term("commitment")).value.scalar)
    for weighting in CommitmentWeighting.allCases {
      for error in Objective.Reconstruction.allCases {
        for reduction in Objective.Reduction.allCases {
          var objective = Objective()
          objective.reconstruction = error
          objective.reduction = reduction
          let other = try gradients(
            SmallModel(.zalando, objective: objective, weighting: weighting), batch: 0
          ).forward
          let expected =
            (reduction == .mean ? 1 : 4)
            * ((error == .nmse ? 1 : small.variance) * reconstruction
              + (weighting == .paper ? 1 : 0.25) * codebook + 0.25 * commitment)
          #expect(abs(Double(other.loss.value.scalar) / expected - 1) < 1e-6, "\(objective)")
          // The terms themselves are reported as they are.
          #expect(Double(other.reconstructionLoss.value.scalar) == reconstruction)
          #expect(Double(try #require(other.term("commitment")).value.scalar) == commitment)
        }
      }
    }
  }

  @Test("mean_times_batch does not change the statistics of moving averages")
  func movingAverage() throws {
    func statistics(_ reduction: Objective.Reduction) throws -> [Tensor] {
      var objective = Objective()
      objective.reduction = reduction
      let small = try SmallModel(.zalando, averages: .keep, objective: objective)
      return try gradients(small, batch: 0).forward.statistics[0]
    }
    let (mean, times) = (try statistics(.mean), try statistics(.meanTimesBatch))
    #expect(mean.count == 2)
    #expect(mean.map(\.elements) == times.map(\.elements))
  }
}
