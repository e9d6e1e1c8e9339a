import Autograd
import NN
import Runtime
import Tensors

/// What a shard, and by addition a batch, gives the optimizer and the model.
struct BatchSums: Sendable {
  /// The trained parameters in the order of the model, followed by the model's statistics.
  struct Layout: Sendable {
    let trained: [Parameter]
    let arena: TensorArena.Layout

    init(_ model: some TrainableModel) {
      trained = model.parameters.filter { $0.role == .trained }
      arena = TensorArena.Layout(trained.map(\.shape) + model.statisticsShapes)
    }
  }

  /// A shard's tensors stay where they were computed; the first addition gathers them in one block.
  private enum Tensors: Sendable {
    case parts([Tensor?])
    case block(TensorArena)

    mutating func add(_ other: Tensors, _ layout: TensorArena.Layout) {
      // Moved out, so that a block has one owner and is added to in place.
      let left = take()
      switch consume left {
      case .parts(let x):
        guard case .parts(let y) = other else {
          preconditionFailure("a left subtree is not smaller than the right one")
        }
        self = .block(TensorArena(layout, adding: y, to: x))
      case .block(var block):
        switch other {
        case .parts(let y): block += y
        case .block(let y): block += y
        }
        self = .block(block)
      }
    }

    private mutating func take() -> Tensors {
      var result = Tensors.parts([])
      swap(&self, &result)
      return result
    }
  }

  let layout: Layout
  /// What the step reports; `loss` comes first.
  private(set) var measurements: Measurements
  private var tensors: Tensors
  /// Whether any shard has a gradient for a parameter.
  private var hasGradient: [Bool]

  /// Computes forward and backward for a shard.
  ///
  /// - Parameter batch: ``Shards/size`` examples.
  init<Model: TrainableModel>(
    _ batch: Model.Batch, in shard: ShardContext, model: Model, layout: Layout,
    values: ParameterValues, dropout: DropoutSource
  ) {
    let tape = Tape(
      values, context: ExecutionContext(convolution: model.convolution, random: dropout))
    let result = model.shard(batch, in: shard, on: tape)
    let gradients = tape.backward(from: result.loss).byName
    let ordered = layout.trained.map { gradients[$0.name] }
    self.layout = layout
    measurements = Measurements(
      [Metric("loss", Double(result.loss.value.scalar), .progress)] + result.measurements.metrics,
      usage: result.measurements.usage, scales: result.measurements.scales)
    hasGradient = ordered.map { $0 != nil }
    tensors = .parts(ordered + result.statistics)
  }

  /// The sums over a whole batch.
  ///
  /// - Parameters:
  ///   - indices: the batch, as indices of examples.
  ///   - shardSize: examples per shard, or nil for the default.
  ///   - seed, step: determine the random numbers of the step.
  static func ofBatch<Model: TrainableModel>(
    _ indices: [Int], of examples: some Examples<Model.Batch>, model: Model,
    values: ParameterValues, shardSize: Int?, seed: UInt64, step: Int, pool: WorkerPool
  ) throws -> BatchSums {
    let shards = Shards(of: indices.count, size: shardSize)
    let layout = Layout(model)
    let total = try pool.reduce(count: shards.count) { i in
      BatchSums(
        try examples.batch(at: indices[shards[i]], paddedTo: shards.size),
        in: ShardContext(
          validCount: shards[i].count, batchSize: indices.count, firstImage: shards[i].lowerBound,
          seed: seed, step: step), model: model, layout: layout, values: values,
        dropout: DropoutSource(seed: seed, step: step, firstImage: shards[i].lowerBound))
    } combine: {
      $0 += $1
    }
    guard let total else { preconditionFailure("a batch has at least one example") }
    return total
  }

  static func += (a: inout BatchSums, b: BatchSums) {
    a.measurements += b.measurements
    for i in a.hasGradient.indices { a.hasGradient[i] = a.hasGradient[i] || b.hasGradient[i] }
    a.tensors.add(b.tensors, a.layout.arena)
  }

  private func tensor(_ i: Int) -> Tensor? {
    switch tensors {
    case .parts(let parts): parts[i]
    case .block(let block): block[i]
    }
  }

  /// The gradients in the order of the trained parameters, or nil for one that the loss does not depend on.
  var gradients: [Tensor?] {
    layout.trained.indices.map { hasGradient[$0] ? tensor($0) : nil }
  }

  /// The model's statistics.
  var statistics: [Tensor] {
    (layout.trained.count..<layout.arena.shapes.count).compactMap(tensor)
  }

  /// Whether the loss, all gradients, their squares, which Adam averages, and all statistics are finite. Then
  /// the averages stay finite; ``TrainingState/fault(in:)`` checks the values.
  var isFinite: Bool {
    measurements["loss"]?.isFinite ?? false
      && gradients.allSatisfy { $0?.hasFiniteSquares ?? true }
      && statistics.allSatisfy(\.isFinite)
  }
}
