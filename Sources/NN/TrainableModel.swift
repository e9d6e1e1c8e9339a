import Autograd
import Tensors

/// A model that a training run can train and evaluate. The run knows nothing else about it.
package protocol TrainableModel: Module {
  /// What a shard is computed from, such as images `[N, H, W, C]`.
  associatedtype Batch: Sendable

  /// The metric of an evaluation whose least value marks the best checkpoint.
  static var criterion: String { get }

  /// Which kernels compute the convolutions.
  var convolution: ConvolutionMethod { get }

  /// The codebooks whose use a run watches, in the order of ``Measurements/usage``. By default none.
  var watchedCodebooks: [WatchedCodebook] { get }

  // MARK: Training

  /// The loss of a shard, from which the gradients follow.
  ///
  /// Sums over the shard are divided by the counts of the whole batch, so losses, gradients and metrics of
  /// the shards add up to the batch's.
  func shard(_ batch: Batch, in shard: ShardContext, on tape: Tape) -> ShardResult

  /// The shapes of ``ShardResult/statistics``.
  var statisticsShapes: [Shape] { get }

  /// Prepares the state of a new run before the first step, as k-means does a codebook. By default nothing.
  ///
  /// - Parameters:
  ///   - seed: that of the run.
  ///   - sample: reads a number of examples, those of the first steps, or all examples if that is fewer.
  func prepare(_ state: inout ModelState, seed: UInt64, sample: (Int) throws -> Batch) throws

  /// Changes the state by a batch, after the optimizer. By default nothing.
  ///
  /// - Parameters:
  ///   - statistics: the sums over the batch's shards.
  ///   - step: 1 for the first.
  func update(_ state: inout ModelState, with statistics: [Tensor], step: Int)

  /// Makes a state consistent whose weights come from another run, without what that run kept for training
  /// alone. By default nothing.
  func adoptWeights(_ state: inout ModelState)

  // MARK: Evaluation

  /// What an evaluation reports about some examples.
  ///
  /// - Parameter shard: the evaluated split takes the place of the batch.
  func evaluate(_ batch: Batch, in shard: ShardContext, _ values: ParameterValues) -> Measurements
}

extension TrainableModel {
  package var watchedCodebooks: [WatchedCodebook] { [] }
  package var statisticsShapes: [Shape] { [] }
  package func prepare(_: inout ModelState, seed _: UInt64, sample _: (Int) throws -> Batch) throws
  {}
  package func update(_: inout ModelState, with _: [Tensor], step _: Int) {}
  package func adoptWeights(_: inout ModelState) {}
}

/// What a run has to know of a codebook to judge how it is used.
package struct WatchedCodebook: Sendable, Equatable {
  /// As in ``CodebookUsage``.
  package let name: String
  /// How many values a code can have, K.
  package let size: Int
  package let codesPerExample: Int

  package init(_ name: String, size: Int, codesPerExample: Int) {
    self.name = name
    self.size = size
    self.codesPerExample = codesPerExample
  }
}

/// What one shard of a batch gives in training.
package struct ShardResult {
  /// The shard's share of the loss.
  package let loss: Variable
  /// Its shares of what the step reports besides the loss.
  package let measurements: Measurements
  /// What ``TrainableModel/update(_:with:step:)`` gets, summed over the shards.
  package let statistics: [Tensor]

  package init(loss: Variable, measurements: Measurements, statistics: [Tensor] = []) {
    self.loss = loss
    self.measurements = measurements
    self.statistics = statistics
  }
}
