import Autograd
import Datasets
import Kernels
import Tensors
import TestSupport
import Testing
import Training
import VectorQuantization

@Suite("A training step")
struct StepTests {
  private let pool = WorkerPool(threads: 2)

  private func start(_ settings: String...) throws -> (Experiment, Dataset, TrainingState) {
    let configuration = try smallConfiguration(settings)
    let dataset = try configuration.dataset()
    let experiment = try Experiment(configuration, dataset)
    return (experiment, dataset, TrainingState(experiment))
  }

  /// N2: a loss that is a sum over the batch, or a mix of sum and mean, would double or change its
  /// proportions. The means of the same numbers in another order differ by Float's rounding.
  @Test(
    "duplicating a batch changes neither losses nor the step", arguments: ["vq", "ema"])
  func duplicated(kind: String) throws {
    let (experiment, dataset, state) = try start("quantizer.kind=\(kind)")
    let batch = Array(0..<20)
    var (once, twice) = (state, state)
    let first = try #require(
      try once.advance(on: batch, of: dataset.train, in: experiment, pool: pool))
    let second = try #require(
      try twice.advance(on: batch + batch, of: dataset.train, in: experiment, pool: pool))
    for (a, b) in [
      (first.loss, second.loss), (first.nmse, second.nmse),
      (first.commitmentLoss, second.commitmentLoss),
      (first.codebookLoss ?? 1, second.codebookLoss ?? 1),
      (first.usage[0].perplexity, second.usage[0].perplexity),
    ] {
      #expect(abs(a / b - 1) < 1e-5)
    }
    #expect(second.usage[0].total == 2 * first.usage[0].total)
    // Adam divides a gradient by its own size, so its first step magnifies the rounding of gradients
    // that are near zero; moments show the gradients themselves.
    for parameter in experiment.model.parameters where parameter.role == .trained {
      expectClose(
        twice.optimizer.firstMoments[parameter], once.optimizer.firstMoments[parameter],
        tolerance: 1e-4, parameter.name)
    }
  }

  /// The same step by the fast kernels and by the reference ones, of a width that the fast ones take; they
  /// differ in the order of sums.
  @Test("the fast convolutions and the reference make the same step", arguments: ["vq", "ema"])
  func convolutions(kind: String) throws {
    var metrics: [StepMetrics] = []
    var moments: [TrainingState] = []
    for method in ["auto", "im2col"] {
      let (experiment, dataset, start) = try start(
        "quantizer.kind=\(kind)", "model.hidden=64", "model.residual_hidden=32",
        "quantizer.dimension=32", "training.convolution=\(method)")
      var state = start
      metrics.append(
        try #require(
          try state.advance(on: Array(0..<20), of: dataset.train, in: experiment, pool: pool)))
      moments.append(state)
      guard moments.count == 2 else { continue }
      #expect(abs(metrics[0].loss / metrics[1].loss - 1) < 1e-5)
      for parameter in experiment.model.parameters where parameter.role == .trained {
        expectClose(
          moments[0].optimizer.firstMoments[parameter],
          moments[1].optimizer.firstMoments[parameter], tolerance: 1e-4, parameter.name)
      }
      // Equal to the last bit they would be the same kernels.
      let weight = try #require(
        experiment.model.parameters.first { $0.name == "encoder.conv3.weight" })
      let elements = moments.map { $0.optimizer.firstMoments[weight].elements }
      #expect(hasWideRegisters == (elements[0] != elements[1]))
    }
  }

  /// A batch in shards against the same batch in one piece.
  @Test("shards add up to the batch, the padding of the last one to nothing")
  func shards() throws {
    let (experiment, dataset, state) = try start()
    let batch = Array(0..<37)
    var sharded = state
    let metrics = try #require(
      try sharded.advance(on: batch, of: dataset.train, in: experiment, pool: pool))

    let tape = Tape(state.values)
    let images = try dataset.train.images(at: batch, paddedTo: batch.count)
    let forward = experiment.model(
      tape.constant(images), count: 37, batchSize: 37, variance: experiment.variance)
    #expect(abs(metrics.loss / Double(forward.loss.value.scalar) - 1) < 1e-5)
    #expect(metrics.usage == forward.usage)
    let gradients = tape.backward(from: forward.loss).byName
    for parameter in experiment.model.parameters {
      // The first moment after one step is a tenth of the gradient.
      let gradient = 10 * sharded.optimizer.firstMoments[parameter]
      expectClose(
        gradient, try #require(gradients[parameter.name]), tolerance: 1e-4, parameter.name)
    }
  }

  @Test(
    "a number that is not finite changes nothing: no weight, no moment, no average",
    arguments: ["vq", "ema"])
  func notFinite(kind: String) throws {
    let (experiment, dataset, state) = try start(
      "quantizer.kind=\(kind)", "training.learning_rate=1e11")
    // The first step throws the weights so far that the second overflows.
    var poisoned = state
    _ = try poisoned.advance(on: Array(0..<20), of: dataset.train, in: experiment, pool: pool)
    var stepped = poisoned
    #expect(
      try stepped.advance(on: Array(0..<20), of: dataset.train, in: experiment, pool: pool) == nil)
    #expect(stepped.step == 1)
    for parameter in experiment.model.parameters where parameter.role == .buffer {
      #expect(stepped.values[parameter].isFinite)
      #expect(stepped.values[parameter].elements == poisoned.values[parameter].elements)
    }
  }

  @Test("thirty steps on one batch make the error smaller", arguments: DeterminismTests.variants)
  func learns(settings: [String]) throws {
    let configuration = try smallConfiguration(settings)
    let dataset = try configuration.dataset()
    let experiment = try Experiment(configuration, dataset)
    var state = TrainingState(experiment)
    var losses: [Double] = []
    for _ in 0..<30 {
      let metrics = try state.advance(
        on: Array(0..<70), of: dataset.train, in: experiment, pool: pool)
      losses.append(try #require(metrics).nmse)
    }
    #expect(losses.last! < 0.95 * losses[0])
  }
}
