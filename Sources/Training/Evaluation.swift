import Autograd
import NN
import Runtime

/// What a model reports about a whole split, every example weighted the same.
package struct Evaluation: Sendable {
  /// How many examples were evaluated.
  package let count: Int
  package let measurements: Measurements

  /// Evaluates a model on every example of a split.
  ///
  /// - Parameter shouldStop: asked before each shard. Once it returns true, the result is nil.
  package init?<Model: TrainableModel>(
    of model: Model, _ values: ParameterValues, on examples: some Examples<Model.Batch>,
    pool: WorkerPool, shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws {
    let shards = Shards(of: examples.count)
    let sum = try pool.reduce(count: shards.count) { i -> Measurements? in
      guard !shouldStop() else { return nil }
      let batch = try examples.batch(at: shards[i], paddedTo: shards.size)
      return model.evaluate(
        batch, in: ShardContext(validCount: shards[i].count, batchSize: examples.count), values)
    } combine: { sum, shard in
      if let shard { sum? += shard } else { sum = nil }
    }
    guard let measurements = sum ?? nil else { return nil }
    count = examples.count
    self.measurements = measurements
  }

  /// The value of a metric. It has to be one that the model reports.
  package subscript(name: String) -> Double {
    guard let value = measurements[name] else {
      preconditionFailure("an evaluation reports no \(name)")
    }
    return value
  }
}
