import Autoencoders
import Autograd
import Configurations
import Diagnostics
import Files
import Models
import NN
import Tensors
import TestSupport
import Testing
import Training

/// A model of a type that the program does not have. It fits `y = x₁ + 2·x₂ + 3`. Everything that a run
/// needs of it is here: no file of `Training` knows it.
private struct LinearFit: ConfiguredModel {
  /// Inputs `[n, 1, 1, 2]` and outputs `[n, 1, 1, 1]`.
  struct Batch: Sendable {
    let x: Tensor
    let y: Tensor
  }

  typealias Data = Points

  /// Points of a grid.
  struct Points: Examples {
    let first: Int
    let count: Int

    func batch(at indices: some Collection<Int>, paddedTo size: Int) throws -> Batch {
      var (x, y) = ([Float](repeating: 0, count: 2 * size), [Float](repeating: 0, count: size))
      for (n, index) in indices.enumerated() {
        let number = first + index
        (x[2 * n], x[2 * n + 1]) = (Float(number % 7) / 7, Float(number % 5) / 5)
        y[n] = x[2 * n] + 2 * x[2 * n + 1] + 3
      }
      return Batch(x: Tensor([size, 1, 1, 2], x), y: Tensor([size, 1, 1, 1], y))
    }
  }

  struct Facts: DataFacts {
    let trainingCount: Int

    init(trainingCount: Int) { self.trainingCount = trainingCount }

    init(_ metadata: CheckpointMetadata, _: Configuration) throws {
      trainingCount = try metadata.integer("points", in: 1...1000)
    }

    var metadata: [String: String] { ["points": String(trainingCount)] }

    func difference(from old: Self) -> (found: String, expected: String)? {
      trainingCount == old.trainingCount
        ? nil : ("there are \(trainingCount) points", "\(old.trainingCount)")
    }
  }

  static let typeName = "linear"
  static let criterion = "error"

  let layer = Conv2d("line", inChannels: 2, outChannels: 1, kernelSize: 1)
  let convolution = ConvolutionMethod.auto
  /// Counts the examples that a state has seen, to test statistics.
  let seen = Parameter("seen", [1], initializer: .zeros, role: .buffer)
  /// Set by ``prepare(_:seed:sample:)``.
  let prepared = Parameter("prepared", [1], initializer: .zeros, role: .buffer)

  init(_: Configuration, _: Facts) {}

  static func open(_: Configuration) -> Dataset<LinearFit> {
    Dataset(
      train: Points(first: 0, count: 70), validation: Points(first: 70, count: 9),
      facts: Facts(trainingCount: 70))
  }

  var parameters: [Parameter] { layer.parameters + [seen, prepared] }

  func shard(_ batch: Batch, in shard: ShardContext, on tape: Tape) -> ShardResult {
    let output = layer(tape.constant(batch.x))
    let error = squaredError(
      output, tape.constant(batch.y), factor: 1 / Float(shard.batchSize), rows: shard.validCount)
    return ShardResult(
      loss: error,
      measurements: Measurements([Metric("examples", Double(shard.validCount), .progress)]),
      statistics: [Tensor([1], [Float(shard.validCount)])])
  }

  var statisticsShapes: [Shape] { [[1]] }

  func prepare(_ state: inout ModelState, seed _: UInt64, sample: (Int) throws -> Batch) throws {
    state.values[prepared] += Tensor([1], [Float(try sample(20).x.shape[0])])
  }

  func update(_ state: inout ModelState, with statistics: [Tensor], step _: Int) {
    state.values[seen] += statistics[0]
  }

  func evaluate(
    _ batch: Batch, in shard: ShardContext, _ values: ParameterValues
  ) -> Measurements {
    let output = layer(Tape(values, recording: false).constant(batch.x)).value
    let error = output.squaredErrors(from: batch.y).prefix(shard.validCount).reduce(0, +)
    return Measurements([Metric("error", error / Double(shard.batchSize), .progress)])
  }
}

@Suite("A model of another type")
struct OtherModelTests {
  private func configuration(_ folder: String, steps: Int) throws -> Configuration {
    var configuration = try smallConfiguration(
      "training.steps=\(steps)", "training.batch_size=20", "training.learning_rate=0.1",
      "training.validate_every=50", "training.checkpoint_every=10")
    configuration.output.folder = folder
    return configuration
  }

  private func run(_ start: RunStart<LinearFit>, threads: Int) throws -> RunFolder {
    var run = try TrainingRun<LinearFit>(start, threads: threads)
    #expect(try run.run() == .finished)
    return run.folder
  }

  @Test("it is trained, logged, saved, resumed and evaluated like every other")
  func trained() throws {
    try withTemporaryFolder { folder in
      let whole = try run(
        RunStart(new: configuration("\(folder)/whole", steps: 1000)), threads: 2)
      let part = "\(folder)/part"
      _ = try run(RunStart(new: configuration(part, steps: 420)), threads: 1)
      let resumed = try run(RunStart(resuming: configuration(part, steps: 1000)), threads: 3)
      #expect(try contents(of: resumed.last) == contents(of: whole.last))
      #expect(try contents(of: resumed.best) == contents(of: whole.best))

      let checkpoint = try Checkpoint<LinearFit>(whole.last)
      let model = checkpoint.experiment.model
      let weights = checkpoint.state.values[model.layer.weight].elements
      for (found, expected) in zip(weights, [Float(1), 2]) { #expect(abs(found - expected) < 0.01) }
      #expect(checkpoint.state.values[model.seen].elements == [1000 * 20])
      // Once, with the first batch; not again by the run that was resumed.
      #expect(checkpoint.state.values[model.prepared].elements == [20])

      let log = try readText(whole.metrics, limit: 1 << 20).split(separator: "\n")
      #expect(log.count == 1000 + 20)
      #expect(log[0].contains(#""examples":20,"#) && !log[0].contains("codesUsed"))
      #expect(log[50].contains(#""split":"validation""#) && log[50].contains(#""error":"#))
    }
  }

  @Test("its checkpoints are refused for a VQ-VAE")
  func typeName() throws {
    try withTemporaryFolder { folder in
      let run = try run(RunStart(new: configuration("\(folder)/run", steps: 2)), threads: 1)
      let problem = try #require(throws: Problem.self) {
        try RunStart<VQVAE>(resuming: configuration(run.path, steps: 2))
      }
      #expect(problem.found == #"vqvae.model is "linear""# && problem.expected == "vqvae")
    }
  }
}
