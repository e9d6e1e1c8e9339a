import Autoencoders
import Autograd
import Datasets
import Kernels
import Models
import NN
import Quantizers
import Runtime
import Tensors
import TestSupport
import Testing
import Training

@Suite("A training step")
struct StepTests {
  private let pool = WorkerPool(threads: 2)

  private func start(_ settings: String...) throws -> (
    Experiment<VQVAE>, Dataset<VQVAE>, TrainingState
  ) { try start(settings) }

  private func start(_ settings: [String]) throws -> (
    Experiment<VQVAE>, Dataset<VQVAE>, TrainingState
  ) {
    let configuration = try smallConfiguration(settings)
    let dataset = try VQVAE.open(configuration)
    let experiment = try Experiment<VQVAE>(configuration, dataset.facts)
    return (experiment, dataset, TrainingState(experiment))
  }

  /// The terms of all quantizers.
  private static let terms = ["codebookLoss", "commitmentLoss", "entropyLoss", "diversityLoss"]

  /// N2: a loss that is a sum over the batch, or a mix of sum and mean, would double or change its
  /// proportions. The means of the same numbers in another order differ by Float's rounding.
  @Test(
    "duplicating a batch changes neither losses nor the step", arguments: QuantizerSection.kinds)
  func duplicated(kind: String) throws {
    let (experiment, dataset, state) = try start("quantizer.kind=\(kind)")
    let batch = Array(0..<20)
    var (once, twice) = (state, state)
    let first = try #require(
      try once.advance(on: batch, of: dataset.train, in: experiment, pool: pool))
    let second = try #require(
      try twice.advance(on: batch + batch, of: dataset.train, in: experiment, pool: pool))
    for (a, b) in [
      (first["loss"]!, second["loss"]!), (first["nmse"]!, second["nmse"]!),
      (first.usage[0].perplexity, second.usage[0].perplexity),
    ] + Self.terms.map({ (first[$0] ?? 1, second[$0] ?? 1) }) {
      #expect(abs(a / b - 1) < 1e-5)
    }
    #expect(second.usage[0].total == 2 * first.usage[0].total)
    // Adam divides a gradient by its own size, so its first step magnifies the rounding of gradients
    // that are near zero; moments show the gradients themselves.
    for parameter in experiment.model.parameters where parameter.role == .trained {
      expectClose(
        twice.model.firstMoments[parameter], once.model.firstMoments[parameter],
        tolerance: 1e-4, parameter.name)
    }
  }

  /// The same step by the fast kernels and by the reference ones, of a width that the fast ones support. They
  /// differ in the order of sums.
  @Test(
    "the fast convolutions and the reference give the same step", arguments: QuantizerSection.kinds)
  func convolutions(kind: String) throws {
    let width = ["vq", "ema"].contains(kind) ? ["quantizer.dimension=32"] : []
    var metrics: [Measurements] = []
    var moments: [TrainingState] = []
    for method in ["auto", "im2col"] {
      let (experiment, dataset, start) = try start(
        width + [
          "quantizer.kind=\(kind)", "model.hidden=64", "model.residual_hidden=32",
          "training.convolution=\(method)",
        ])
      var state = start
      metrics.append(
        try #require(
          try state.advance(on: Array(0..<20), of: dataset.train, in: experiment, pool: pool)))
      moments.append(state)
      guard moments.count == 2 else { continue }
      #expect(abs(metrics[0]["loss"]! / metrics[1]["loss"]! - 1) < 1e-5)
      for parameter in experiment.model.parameters where parameter.role == .trained {
        expectClose(
          moments[0].model.firstMoments[parameter],
          moments[1].model.firstMoments[parameter], tolerance: 1e-4, parameter.name)
      }
      // If the elements were equal to the last bit, both would have used the same kernels.
      let weight = try #require(
        experiment.model.parameters.first { $0.name == "encoder.conv3.weight" })
      let elements = moments.map { $0.model.firstMoments[weight].elements }
      #expect((kernels.fastestConvolution != .im2col) == (elements[0] != elements[1]))
    }
  }

  /// Compares a batch in shards with the same batch in a single shard.
  @Test(
    "shards add up to the batch, and padding contributes nothing", arguments: QuantizerSection.kinds
  )
  func shards(kind: String) throws {
    let (experiment, dataset, state) = try start("quantizer.kind=\(kind)")
    let batch = Array(0..<37)
    var sharded = state
    let metrics = try #require(
      try sharded.advance(on: batch, of: dataset.train, in: experiment, pool: pool))

    let tape = Tape(state.values)
    let images = try dataset.train.images(at: batch, paddedTo: batch.count)
    let forward = experiment.model(
      tape.constant(images), in: ShardContext(validCount: 37, batchSize: 37))
    #expect(abs(metrics["loss"]! / Double(forward.loss.value.scalar) - 1) < 1e-5)
    #expect(metrics.usage == forward.usage)
    if let whole = forward.scales.first?.ratio {
      let ratio = try #require(metrics.scales.first?.ratio)
      #expect(abs(ratio / whole - 1) < 1e-5)
    }
    for term in forward.terms {
      let sum = try #require(metrics["\(term.name)Loss"])
      #expect(abs(sum / Double(term.value.value.scalar) - 1) < 1e-5, "\(term.name)")
    }
    let gradients = tape.backward(from: forward.loss).byName
    for parameter in experiment.model.parameters where parameter.role == .trained {
      // The first moment after one step is a tenth of the gradient.
      let gradient = 10 * sharded.model.firstMoments[parameter]
      expectClose(
        gradient, try #require(gradients[parameter.name]), tolerance: 1e-4, parameter.name)
    }
  }

  @Test(
    "a number that is not finite changes nothing: no weight, no moment, no average",
    arguments: QuantizerSection.kinds)
  func notFinite(kind: String) throws {
    let (experiment, dataset, state) = try start(
      "quantizer.kind=\(kind)", "training.learning_rate=1e11")
    // The first step makes the weights so large that the second overflows.
    var poisoned = state
    _ = try poisoned.advance(on: Array(0..<20), of: dataset.train, in: experiment, pool: pool)
    var stepped = poisoned
    #expect(
      try stepped.advance(on: Array(0..<20), of: dataset.train, in: experiment, pool: pool) == nil)
    #expect(stepped.step == 1)
    for parameter in experiment.model.parameters {
      let value = stepped.values[parameter]
      if parameter.role == .buffer { #expect(value.isFinite, "\(parameter.name)") }
      #expect(value.elements == poisoned.values[parameter].elements, "\(parameter.name)")
    }
  }

  /// One step with and without decay, from the same start. Adam does not update a codebook of moving
  /// averages, and its vectors are the same in the first step. Without `simvq`, whose buffer is a product with
  /// a trained matrix.
  @Test(
    "weight decay applies to trained parameters, and not to moving averages",
    arguments: QuantizerSection.kinds.filter { $0 != "simvq" })
  func weightDecay(kind: String) throws {
    let (plain, dataset, start) = try start("quantizer.kind=\(kind)")
    let (decaying, _, other) = try self.start(
      "quantizer.kind=\(kind)", "training.weight_decay=20")
    var (without, with) = (start, other)
    let batch = Array(0..<20)
    _ = try without.advance(on: batch, of: dataset.train, in: plain, pool: pool)
    _ = try with.advance(on: batch, of: dataset.train, in: decaying, pool: pool)
    #expect(
      plain.model.parameters.contains { $0.role == .buffer } == !["vq", "fsq"].contains(kind))
    for parameter in plain.model.parameters {
      let (a, b) = (without.values[parameter], with.values[parameter])
      switch parameter.role {
      case .buffer:
        #expect(a.elements == b.elements, "\(parameter.name)")
        #expect(a.elements != start.values[parameter].elements, "\(parameter.name)")
      case .trained:
        // λ times the learning rate, 20 · 0.003, of what it was.
        let decay = 0.06 * start.values[parameter]
        expectClose(b + decay, a, tolerance: 1e-5, parameter.name)
      }
    }
  }

  @Test("a clipped gradient has the norm of the limit, and the metric is the norm before clipping")
  func clipping() throws {
    let (free, dataset, start) = try start("training.clip_norm=1e9")
    let (clipped, _, _) = try self.start("training.clip_norm=0.01")
    let batch = Array(0..<20)
    func firstStep(_ experiment: Experiment<VQVAE>) throws -> (norm: Double, moments: Double) {
      var state = start
      let metrics = try #require(
        try state.advance(on: batch, of: dataset.train, in: experiment, pool: pool))
      // The first moment after one step is a tenth of the gradient.
      let squares = experiment.model.parameters.map {
        state.model.firstMoments[$0].sumOfSquares()
      }
      return (try #require(metrics["gradientNorm"]), 10 * squares.reduce(0, +).squareRoot())
    }
    let (whole, short) = (try firstStep(free), try firstStep(clipped))
    #expect(whole.norm > 0.02)
    #expect(abs(whole.moments / whole.norm - 1) < 1e-6)
    #expect(short.norm == whole.norm)
    #expect(abs(short.moments / 0.01 - 1) < 1e-3)
  }

  @Test("each step has the learning rate of the schedule, and there is no norm without clipping")
  func rates() throws {
    let (experiment, dataset, start) = try start(
      "training.schedule=cosine", "training.warmup_steps=2", "training.final_learning_rate=0.001")
    var state = start
    let metrics = try (0..<6).map { _ in
      try #require(
        try state.advance(on: Array(0..<20), of: dataset.train, in: experiment, pool: pool))
    }
    #expect(metrics.allSatisfy { $0["gradientNorm"] == nil })
    // Half and whole in the warm-up, then from 0.003 over its quarters down to 0.001.
    let expected = [
      0.0015, 0.003, 0.003, 0.002 + 0.001 * 0.5.squareRoot(), 0.002,
      0.002 - 0.001 * 0.5.squareRoot(),
    ]
    for (found, expected) in zip(metrics, expected) {
      #expect(abs(found["learningRate"]! / expected - 1) < 1e-12)
    }
    // Adam's first step is the learning rate, whatever the gradient.
    let weight = try #require(
      experiment.model.parameters.first { $0.name == "encoder.conv1.weight" })
    var once = start
    _ = try once.advance(on: Array(0..<20), of: dataset.train, in: experiment, pool: pool)
    let changes = zip(once.values[weight].elements, start.values[weight].elements).map {
      abs($0 - $1)
    }
    #expect(abs((changes.max() ?? 0) / 0.0015 - 1) < 1e-3)
  }

  @Test("thirty steps on one batch reduce the error", arguments: DeterminismTests.variants)
  func learns(settings: [String]) throws {
    // The encoder of `strided` starts with a bias that outweighs what an image adds, so that all vectors have the
    // same signs, and the terms of `lfq` hold them there for longer than thirty steps.
    let isHeld = settings == ["model.architecture=strided", "quantizer.kind=lfq"]
    let configuration = try smallConfiguration(
      settings + (isHeld ? ["quantizer.commitment=0", "quantizer.entropy=0"] : []))
    let dataset = try VQVAE.open(configuration)
    let experiment = try Experiment<VQVAE>(configuration, dataset.facts)
    var state = TrainingState(experiment)
    var losses: [Double] = []
    for _ in 0..<30 {
      let metrics = try state.advance(
        on: Array(0..<70), of: dataset.train, in: experiment, pool: pool)
      losses.append(try #require(metrics?["nmse"]))
    }
    #expect(losses.last! < 0.95 * losses[0])
  }

  /// The same image sixteen times makes two shards of eight, whose masks have to differ.
  @Test("dropout differs between images and steps, and evaluation has none")
  func dropout() throws {
    func step(
      _ probability: Double, images: Int
    ) throws -> (losses: [Double], reconstruction: [Float]) {
      let (experiment, dataset, start) = try start(
        "model.architecture=resblock", "model.dropout=\(probability)",
        // So small that the weights do not change.
        "training.learning_rate=1e-12")
      var state = start
      let losses = try (0..<2).map { _ in
        try #require(
          try state.advance(
            on: Array(repeating: 0, count: images), of: dataset.train, in: experiment, pool: pool)?[
              "nmse"])
      }
      let image = try dataset.train.images(at: [0], paddedTo: 8)
      return (losses, experiment.model.reconstruct(image, start.values).reconstruction.elements)
    }
    let (none8, none16) = (try step(0, images: 8), try step(0, images: 16))
    let (half8, half16) = (try step(0.5, images: 8), try step(0.5, images: 16))
    // Rounding makes some 1e-7 of it, another mask a thousandth or more.
    #expect(abs(none8.losses[0] / none16.losses[0] - 1) < 1e-6)
    #expect(abs(none8.losses[0] / none8.losses[1] - 1) < 1e-6)
    #expect(abs(half8.losses[0] / none8.losses[0] - 1) > 1e-5)
    #expect(abs(half8.losses[0] / half16.losses[0] - 1) > 1e-5)
    #expect(abs(half8.losses[0] / half8.losses[1] - 1) > 1e-5)
    #expect(half8.reconstruction == none8.reconstruction)
  }
}
