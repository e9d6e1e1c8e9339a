import Autograd
import Datasets
import Runtime
import Tensors
import VectorQuantization

/// The losses of a training step and the use of the codebooks in it.
package struct StepMetrics: Sendable {
  /// The whole loss, as the objective makes it of its terms.
  package private(set) var loss = 0.0
  /// The reconstruction loss: mean squared error over the variance of the training images.
  package private(set) var nmse = 0.0
  /// nil where moving averages make the codebook.
  package private(set) var codebookLoss: Double?
  /// Before β.
  package private(set) var commitmentLoss = 0.0
  /// One for each codebook.
  package private(set) var usage: [CodebookUsage] = []
  /// What the step was made with.
  package internal(set) var learningRate = 0.0
  /// The norm of the gradient before it was clipped; nil where it is not.
  package internal(set) var gradientNorm: Double?

  init() {}

  init(_ forward: VQVAE.Forward) {
    loss = Double(forward.loss.value.scalar)
    nmse = Double(forward.reconstructionLoss.value.scalar)
    codebookLoss = forward.codebookLoss.map { Double($0.value.scalar) }
    commitmentLoss = Double(forward.commitmentLoss.value.scalar)
    usage = forward.usage
  }

  static func += (a: inout StepMetrics, b: StepMetrics) {
    a.loss += b.loss
    a.nmse += b.nmse
    if let codebookLoss = b.codebookLoss { a.codebookLoss = (a.codebookLoss ?? 0) + codebookLoss }
    a.commitmentLoss += b.commitmentLoss
    if a.usage.isEmpty {
      a.usage = b.usage
    } else {
      for i in a.usage.indices { a.usage[i] += b.usage[i] }
    }
  }
}

/// What a shard, and by addition a batch, tells the optimizer.
struct BatchGradients: Sendable {
  var metrics = StepMetrics()
  var gradients: [String: Tensor] = [:]
  /// One entry for each quantizer; nil where it learns by gradient.
  var statistics: [MovingAverage.Statistics?] = []

  /// Computes forward and backward for a shard.
  ///
  /// - Parameters:
  ///   - images: ``Shards/size`` images, of which the first `count` are in the batch.
  init(
    _ images: Tensor, count: Int, batchSize: Int, model: VQVAE, values: ParameterValues,
    variance: Double, dropout: DropoutSource
  ) {
    let tape = Tape(values, convolution: model.convolution, dropout: dropout)
    let forward = model(
      tape.constant(images), count: count, batchSize: batchSize, variance: variance)
    metrics = StepMetrics(forward)
    statistics = forward.statistics
    gradients = tape.backward(from: forward.loss).byName
  }

  /// The gradients of a whole batch, shard by shard.
  ///
  /// At most `pool.threads` shards' gradients and their sum are alive at once.
  ///
  /// - Parameters:
  ///   - seed, step: which random numbers dropout takes.
  init(
    positions: [Int], of split: ImageSplit, model: VQVAE, values: ParameterValues,
    variance: Double, seed: UInt64, step: Int, pool: WorkerPool
  ) throws {
    let shards = Shards(of: positions.count)
    let total = try pool.reduceInOrder(count: shards.count, into: BatchGradients?.none) { i in
      BatchGradients(
        try split.images(at: positions[shards[i]], paddedTo: shards.size), count: shards[i].count,
        batchSize: positions.count, model: model, values: values, variance: variance,
        dropout: DropoutSource(seed: seed, step: step, firstImage: shards[i].lowerBound))
    } fold: { total, _, shard in
      if total == nil { total = shard } else { total! += shard }
    }
    guard let total else { preconditionFailure("a batch has at least one image") }
    self = total
  }

  static func += (a: inout BatchGradients, b: BatchGradients) {
    a.metrics += b.metrics
    for (name, gradient) in b.gradients {
      if a.gradients[name] == nil {
        a.gradients[name] = gradient
      } else {
        a.gradients[name]! += gradient
      }
    }
    for i in a.statistics.indices {
      guard let statistics = b.statistics[i] else { continue }
      a.statistics[i]? += statistics
    }
  }

  /// Whether no loss, gradient or statistic is infinite or not a number, nor a gradient's square, which
  /// Adam averages: a step with such numbers leaves finite ones.
  var isFinite: Bool {
    metrics.loss.isFinite && gradients.values.allSatisfy(\.hasFiniteSquares)
      && statistics.allSatisfy { $0?.isFinite ?? true }
  }
}
