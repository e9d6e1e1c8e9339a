import Autograd
import Datasets
import NN
import Runtime
import Tensors
import VectorQuantization

/// The losses of a training step and the use of the codebooks in it.
package struct StepMetrics: Sendable {
  /// The whole loss, as the objective makes it of its terms.
  package private(set) var loss = 0.0
  /// The reconstruction loss: mean squared error over the variance of the training images.
  package private(set) var nmse = 0.0
  /// The quantizers' terms by name, such as `commitment`, before their weights.
  package private(set) var terms: [(name: String, value: Double)] = []
  /// One for each codebook.
  package private(set) var usage: [CodebookUsage] = []
  /// What the step was made with.
  package internal(set) var learningRate = 0.0
  /// The norm of the gradient before it was clipped; nil where it is not.
  package internal(set) var gradientNorm: Double?

  init(_ output: VQVAE.TrainingOutput) {
    loss = Double(output.loss.value.scalar)
    nmse = Double(output.reconstructionLoss.value.scalar)
    terms = output.terms.map { ($0.name, Double($0.value.value.scalar)) }
    usage = output.usage
  }

  /// All numbers of the step but the use of the codebooks.
  package var metrics: [Metric] {
    [Metric("loss", loss, label: "loss"), Metric("nmse", nmse, label: "nmse")]
      + terms.map { Metric($0.name + "Loss", $0.value, label: $0.name, isTerm: true) }
      + [Metric("learningRate", learningRate)]
      + (gradientNorm.map { [Metric("gradientNorm", $0)] } ?? [])
  }

  /// The value of a quantizer's term; nil if there is no such term.
  package func term(_ name: String) -> Double? { terms.first { $0.name == name }?.value }

  static func += (a: inout StepMetrics, b: StepMetrics) {
    a.loss += b.loss
    a.nmse += b.nmse
    for i in a.terms.indices { a.terms[i].value += b.terms[i].value }
    for i in a.usage.indices { a.usage[i] += b.usage[i] }
  }
}

/// What a shard, and by addition a batch, tells the optimizer and the quantizers.
struct BatchSums: Sendable {
  /// The trained parameters in the order of the model, and behind them the quantizers' statistics.
  struct Layout: Sendable {
    let trained: [Parameter]
    let arena: TensorArena.Layout

    init(_ model: VQVAE) {
      trained = model.parameters.filter { $0.role == .trained }
      arena = TensorArena.Layout(
        trained.map(\.shape) + model.quantizers.flatMap(\.statisticsShapes))
    }
  }

  /// A shard's tensors are where they were made; the first addition brings them into one block.
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
  private(set) var metrics: StepMetrics
  private var tensors: Tensors
  /// Whether any shard has a gradient for a parameter.
  private var hasGradient: [Bool]

  /// Computes forward and backward for a shard.
  ///
  /// - Parameter images: ``Shards/size`` images.
  init(
    _ images: Tensor, in shard: ShardContext, model: VQVAE, layout: Layout,
    values: ParameterValues, dropout: DropoutSource
  ) {
    let tape = Tape(
      values, context: ExecutionContext(convolution: model.convolution, random: dropout))
    let output = model(tape.constant(images), in: shard)
    let gradients = tape.backward(from: output.loss).byName
    let ordered = layout.trained.map { gradients[$0.name] }
    self.layout = layout
    metrics = StepMetrics(output)
    hasGradient = ordered.map { $0 != nil }
    tensors = .parts(ordered + output.statistics.flatMap(\.self))
  }

  /// The sums over a whole batch.
  ///
  /// - Parameters:
  ///   - positions: the batch, as positions in the split.
  ///   - seed, step: which random numbers dropout takes.
  static func ofBatch(
    _ positions: [Int], of split: ImageSplit, model: VQVAE, values: ParameterValues,
    shardImages: Int?, seed: UInt64, step: Int, pool: WorkerPool
  ) throws -> BatchSums {
    let shards = Shards(of: positions.count, size: shardImages)
    let layout = Layout(model)
    let total = try pool.reduce(count: shards.count) { i in
      BatchSums(
        try split.images(at: positions[shards[i]], paddedTo: shards.size),
        in: ShardContext(validCount: shards[i].count, batchSize: positions.count), model: model,
        layout: layout, values: values,
        dropout: DropoutSource(seed: seed, step: step, firstImage: shards[i].lowerBound))
    } combine: {
      $0 += $1
    }
    guard let total else { preconditionFailure("a batch has at least one image") }
    return total
  }

  static func += (a: inout BatchSums, b: BatchSums) {
    a.metrics += b.metrics
    for i in a.hasGradient.indices { a.hasGradient[i] = a.hasGradient[i] || b.hasGradient[i] }
    a.tensors.add(b.tensors, a.layout.arena)
  }

  private func tensor(_ i: Int) -> Tensor? {
    switch tensors {
    case .parts(let parts): parts[i]
    case .block(let block): block[i]
    }
  }

  /// The gradients in the order of the trained parameters; nil for one that the loss does not depend on.
  var gradients: [Tensor?] {
    layout.trained.indices.map { hasGradient[$0] ? tensor($0) : nil }
  }

  /// The statistics of each quantizer.
  func statistics(of quantizers: [any Quantizer]) -> [[Tensor]] {
    var next = layout.trained.count
    return quantizers.map { quantizer in
      let range = next..<(next + quantizer.statisticsShapes.count)
      next = range.upperBound
      return range.compactMap(tensor)
    }
  }

  /// Whether no loss, gradient or statistic is infinite or not a number, nor a gradient's square, which
  /// Adam averages: a step with such numbers leaves finite ones.
  var isFinite: Bool {
    metrics.loss.isFinite && gradients.allSatisfy { $0?.hasFiniteSquares ?? true }
      && (layout.trained.count..<layout.arena.shapes.count).allSatisfy {
        tensor($0)?.isFinite ?? true
      }
  }
}
