import Autoencoders
import Configurations
import Datasets
import Diagnostics
import Glibc
import Models
import Runtime
import Tensors
import Training

/// Measures how the cost of a step and of encoding depends on batch size, image area, codebook and channels:
/// a base configuration, and others in which one value is changed.
///
/// All configurations are held in memory and measured in turns, round after round, so that a machine that
/// becomes slower for a while changes all of them, and ratios within a round stay right.
package struct ScalingBenchmark {
  package struct Options: Sendable {
    package var rounds = 7
    /// Steps, and encodings, of a configuration in a round. If nil, as many steps as take 0.15 seconds,
    /// and encodings for half of that.
    package var steps: Int?
    /// Skips the verification of the kernels.
    package var isQuick = false

    package init() {}
  }

  private let base: Configuration
  private let pool: WorkerPool
  private let axes: [ScalingAxis]

  /// - Throws: ``Problem`` if the images are not synthetic: those of files have one size, and may be fewer than
  ///   a batch.
  package init(
    _ configuration: Configuration, threads: Int, axes: [ScalingAxis] = ScalingAxis.all
  ) throws {
    guard configuration.data.kind == Synthetic.name else {
      throw Problem(
        .badConfiguration, "data.kind", found: configuration.data.kind, expected: Synthetic.name,
        advice: "Images of other sizes can only be drawn: --set data.kind=\(Synthetic.name)")
    }
    base = configuration
    pool = WorkerPool(threads: threads)
    self.axes = axes
  }

  /// - Parameter progress: called with a description of what comes next.
  package func run(
    _ options: Options, progress: (String) -> Void = { _ in }
  ) throws -> ScalingReport {
    progress("preparing the base configuration")
    var cases = [try ScalingCase(base, pool: pool)]
    var verification: Verification?
    if !options.isQuick {
      progress("verifying the kernels")
      verification = try cases[0].verified()
    }
    /// For every axis, the places of its configurations in `cases`.
    var places: [(axis: ScalingAxis, rows: [(value: Int, place: Int)])] = []
    for axis in axes {
      guard let value = axis.value(in: base) else { continue }
      var rows = [(value: value, place: 0)]
      for (value, configuration) in axis.variants(of: base) {
        progress("preparing \(axis.field)=\(value)")
        rows.append((value, cases.count))
        cases.append(try ScalingCase(configuration, pool: pool))
      }
      places.append((axis, rows.sorted { $0.value < $1.value }))
    }
    for round in 1...options.rounds {
      for i in cases.indices {
        progress("round \(round) of \(options.rounds), configuration \(i + 1) of \(cases.count)")
        try cases[i].measure(steps: options.steps, pool: pool)
      }
    }
    return ScalingReport(
      kernelSet: KernelSet.current.rawValue,
      base: "batch \(base.training.batchSize), \(base.data.image), \(base.model.summary), "
        + base.quantizer.summary,
      threads: pool.threads, rounds: options.rounds,
      spread: Timing.median(cases.map(\.spread)),
      axes: places.map { axis, rows in
        let baseSize = rows.first { $0.place == 0 }.map { Self.size($0.value, axis) } ?? 1
        return ScalingReport.Axis(
          title: axis.title, field: axis.field,
          rows: rows.map { value, place in
            let size = Self.size(value, axis)
            return cases[place].row(
              value: value, size: size, relativeSize: Double(size) / Double(baseSize),
              base: cases[0])
          })
      },
      verification: verification)
  }

  private static func size(_ value: Int, _ axis: ScalingAxis) -> Int {
    (0..<axis.power).reduce(1) { size, _ in size * value }
  }
}

/// A configuration, its state and its measurements.
private struct ScalingCase {
  private let experiment: Experiment<VQVAE>
  private let images: ImageSplit
  private let encoding: EncodingRun
  private let work: ModelWork
  private var state: TrainingState
  private var order: EpochOrder
  private var memoryBytes = 0
  /// For each round, the durations of the steps and of the encodings.
  private var steps: [[Double]] = []
  private var encodes: [[Double]] = []

  private var batchSize: Int { experiment.configuration.training.batchSize }

  /// Makes the first step and the first encoding.
  init(_ configuration: Configuration, pool: WorkerPool) throws {
    var configuration = configuration
    // One batch is enough: the cost of a step does not depend on which images it reads.
    configuration.data[field: "images"] = .integer(configuration.training.batchSize)
    configuration.data[field: "validation"] = .number(0)
    let (experiment, dataset) = try Experiment<VQVAE>.open(configuration)
    self.experiment = experiment
    images = dataset.train
    BufferPool.startMeasuring()
    let before = BufferPool.peakBytes
    order = EpochOrder(seed: configuration.seed, count: images.count)
    state = try TrainingState(
      experiment, preparedOn: images, in: order)
    encoding = try EncodingRun(experiment, images)
    work = ModelWork(of: experiment.model, state.values, image: experiment.facts.image)
    _ = try step(pool)
    _ = encoding.seconds(state.values, pool: pool)
    memoryBytes = BufferPool.peakBytes - before
  }

  /// Makes a step; returns its duration.
  private mutating func step(_ pool: WorkerPool) throws -> Double {
    var isFinite = false
    let seconds = try Timing.seconds {
      let batch = order.batch(step: state.step, size: batchSize)
      isFinite = try state.advance(on: batch, of: images, in: experiment, pool: pool) != nil
    }
    guard isFinite else { throw Benchmark.divergence(in: state.step + 1) }
    return seconds
  }

  func verified() throws -> Verification {
    try work.verification(of: experiment)
  }

  /// Measures one round.
  mutating func measure(steps count: Int?, pool: WorkerPool) throws {
    // A first step is not counted: the caches are full of the data of another configuration.
    _ = try step(pool)
    steps.append(try Self.repeated(count, seconds: 0.15) { try step(pool) })
    encodes.append(
      Self.repeated(count, seconds: 0.075) { encoding.seconds(state.values, pool: pool) })
  }

  /// Durations, `count` of them or as many as take some seconds together.
  private static func repeated(
    _ count: Int?, seconds: Double, _ body: () throws -> Double
  ) rethrows -> [Double] {
    var durations: [Double] = []
    var sum = 0.0
    while durations.isEmpty || count.map({ durations.count < $0 }) ?? (sum < seconds) {
      durations.append(try body())
      sum += durations[durations.count - 1]
    }
    return durations
  }

  /// The highest median step time of a round minus the lowest, relative to the median of all.
  var spread: Double {
    let medians = steps.map(Timing.median)
    guard let lowest = medians.min(), let highest = medians.max() else { return 0 }
    return (highest - lowest) / Timing.median(medians)
  }

  private var cost: ScalingReport.Cost {
    let step = Timing(steps.flatMap(\.self))
    let encode = Timing(encodes.flatMap(\.self))
    return ScalingReport.Cost(
      secondsPerStep: step, secondsPerStepAndImage: step.median / Double(batchSize),
      secondsPerEncode: encode, secondsPerEncodeAndImage: encode.median / Double(batchSize),
      memoryBytes: memoryBytes, multiplyAddsPerStep: work.flopPerImage / 2 * batchSize)
  }

  func row(
    value: Int, size: Int, relativeSize: Double, base: ScalingCase
  ) -> ScalingReport.Row {
    func ratio(_ path: KeyPath<ScalingCase, [[Double]]>) -> Double {
      Timing.median(
        zip(self[keyPath: path], base[keyPath: path]).map {
          Timing.median($0) / Timing.median($1)
        })
    }
    let (cost, baseCost) = (cost, base.cost)
    let ratios = ScalingReport.Numbers(
      step: ratio(\.steps), encode: ratio(\.encodes),
      memory: Double(cost.memoryBytes) / Double(baseCost.memoryBytes),
      multiplyAdds: Double(cost.multiplyAddsPerStep) / Double(baseCost.multiplyAddsPerStep))
    return ScalingReport.Row(
      value: value, size: size, cost: cost, ratios: ratios,
      exponents: relativeSize == 1 ? nil : ratios.map { log($0) / log(relativeSize) })
  }
}
