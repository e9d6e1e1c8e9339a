import Autoencoders
import Autograd
import BLAS
import Configurations
import Datasets
import Diagnostics
import Files
import Models
import NN
import Quantizers
import Runtime
import Tensors
import Training

/// Measures training on this machine.
///
/// The order keeps measurements from disturbing each other: the first step comes before anything else, as in
/// `train`; then half of the steps, while only training has used memory; then the verification and the large
/// matrix products, whose memory the process keeps; then the other half.
package struct Benchmark {
  package struct Options: Sendable {
    /// The number of measured steps. If nil, as many as take about ten seconds, from 10 to 1000.
    package var steps: Int?
    /// The number of steps before those, not counting the first.
    package var warmup = 3
    /// Skips the verification and the peak of matrix products.
    package var isQuick = false
    /// Also measures each kernel separately.
    package var measuresKernels = false

    package init() {}
  }

  package let experiment: Experiment<VQVAE>
  package let dataset: Dataset<VQVAE>
  package let pool: WorkerPool
  /// Seconds from the start of the process to the end of the first step, or nil if the system does not
  /// report when the process started.
  package let firstStep: Double?

  private var state: TrainingState
  private var order: EpochOrder
  private let parts = StepParts()
  private let timedExperiment: Experiment<VQVAE>
  private let timedImages: ImageSplit
  /// Seconds for the first step alone.
  private let firstStepDuration: Double

  private var batchSize: Int { experiment.configuration.training.batchSize }
  private var shards: Shards {
    Shards(of: batchSize, size: experiment.configuration.training.shardImages)
  }

  /// Opens the data and runs the first training step, as `train` does, but without a run folder.
  package init(_ configuration: Configuration, threads: Int) throws {
    let experiment: Experiment<VQVAE>
    (experiment, dataset) = try Experiment.open(configuration)
    pool = WorkerPool(threads: threads)
    order = EpochOrder(seed: configuration.seed, count: dataset.train.count)
    let batch = order.batch(step: 0, size: configuration.training.batchSize)
    var state = try TrainingState(experiment, preparedOn: dataset.train, in: order)
    let start = ContinuousClock.now
    let metrics = try state.advance(on: batch, of: dataset.train, in: experiment, pool: pool)
    firstStepDuration = (ContinuousClock.now - start) / .seconds(1)
    firstStep = ProcessUsage.age
    guard metrics != nil else { throw Self.divergence(in: 1) }

    self.experiment = experiment
    self.state = state
    var timed = experiment
    timed.model = parts.timed(experiment.model)
    timedExperiment = timed
    timedImages = parts.timed(dataset.train)
  }

  /// Measures everything.
  ///
  /// - Parameter progress: called with a description of what comes next, on the calling thread.
  package mutating func run(
    _ options: Options, progress: (String) -> Void = { _ in }
  ) throws -> BenchmarkReport {
    var discarded = Measured(isFirstBlock: true)
    try makeSteps(options.warmup, into: &discarded) { progress("warm-up, step \($0)") }
    let usual = discarded.seconds.min() ?? firstStepDuration
    let steps = options.steps ?? min(1000, max(10, Int(10 / max(usual, 1e-6))))

    var measured = Measured(isFirstBlock: true)
    measured.peakAnonymous = discarded.peakAnonymous
    let half = (steps + 1) / 2
    try makeSteps(half, into: &measured) { progress("step \($0) of \(steps)") }
    let peakResident = ProcessUsage.memory.peakResident

    let work = ModelWork(
      of: experiment.model, state.values, image: experiment.facts.image)
    var verification: Verification?
    var peak: ProductPeak?
    if !options.isQuick {
      progress("verifying the kernels")
      verification = try work.verification(of: experiment)
    }
    func measurePeak() {
      guard !options.isQuick else { return }
      progress("measuring products")
      if peak == nil { peak = ProductPeak(pool: pool) }
      peak?.measure()
    }
    measurePeak()
    measured.isFirstBlock = false
    measured.anonymous.append([])
    try makeSteps(steps - half, into: &measured) { progress("step \(half + $0) of \(steps)") }
    measurePeak()
    progress("encoding")
    let encode = try measureEncoding()
    let optimizer = measureOptimizer()
    measurePeak()

    var kernels: [KernelReport]?
    if options.measuresKernels {
      kernels = KernelBenchmark(
        work, experiment, pool: pool, peak: peak?.allThreads.max()
      ).run(progress)
    }
    return report(
      measured, work: work, verification: verification, peak: peak, encode: encode,
      optimizer: optimizer, peakResident: peakResident, kernels: kernels)
  }

  // MARK: Steps

  /// The measurements of several steps.
  private struct Measured {
    /// One entry for each step.
    var seconds: [Double] = []
    var parts: [StepParts.Seconds] = []
    var pageFaults = 0
    /// Bytes of anonymous memory after each step, one array for each uninterrupted block of steps.
    var anonymous: [[Int]] = [[]]
    var peakAnonymous: Int?
    /// Whether only training has used memory so far; the peak is taken from such steps.
    var isFirstBlock: Bool
  }

  private mutating func makeSteps(
    _ count: Int, into measured: inout Measured, progress: (Int) -> Void
  ) throws {
    for i in 0..<count {
      progress(i + 1)
      let faults = ProcessUsage.pageFaults
      var isFinite = false
      let seconds = try Timing.seconds {
        let batch = order.batch(step: state.step, size: batchSize)
        isFinite =
          try state.advance(on: batch, of: timedImages, in: timedExperiment, pool: pool) != nil
      }
      guard isFinite else { throw Self.divergence(in: state.step + 1) }
      measured.pageFaults += ProcessUsage.pageFaults - faults
      measured.seconds.append(seconds)
      measured.parts.append(parts.take())
      guard let anonymous = ProcessUsage.memory.anonymous else { continue }
      measured.anonymous[measured.anonymous.count - 1].append(anonymous)
      if measured.isFirstBlock {
        measured.peakAnonymous = max(measured.peakAnonymous ?? 0, anonymous)
      }
    }
  }

  static func divergence(in step: Int) -> Problem {
    Problem(
      .diverged, "step \(step)", found: "the loss or a gradient is not finite",
      advice: "A lower training.learning_rate usually helps.")
  }

  // MARK: Encoding and optimizer

  private func measureEncoding() throws -> Timing {
    let run = try EncodingRun(experiment, dataset.train)
    let first = run.seconds(state.values, pool: pool)
    return Timing(
      (0..<Self.repetitions(first, seconds: 2)).map { _ in run.seconds(state.values, pool: pool) })
  }

  /// Seconds for the part of a step after the gradients, on a state that is then discarded.
  private func measureOptimizer() -> Double {
    let trained = experiment.model.parameters.filter { $0.role == .trained }
    let gradients = Dictionary(
      uniqueKeysWithValues: trained.map { ($0.name, randomTensor($0.shape, $0.name)) })
    let statistics = experiment.model.statisticsShapes.map { Tensor($0, repeating: 1) }
    var model = state.model
    let optimizer = Adam(trained, options: .init(learningRate: 1e-4))
    func update() -> Double {
      Timing.seconds {
        guard gradients.values.allSatisfy(\.hasFiniteSquares) else { return }
        let step = state.step + 1
        optimizer.update(&model, step: step, pool: pool) { gradients[$0.name] }
        experiment.model.update(&model, with: statistics, step: step)
      }
    }
    // The first update copies the tensors that `model` shares with the state.
    _ = update()
    return Timing((0..<Self.repetitions(update(), seconds: 0.2)).map { _ in update() }).median
  }

  /// The number of repetitions, from 3 to 1000, that take about `seconds` in total.
  ///
  /// - Parameter once: seconds for a single repetition.
  static func repetitions(_ once: Double, seconds: Double) -> Int {
    min(1000, max(3, Int(seconds / max(once, 1e-6))))
  }

  // MARK: Report

  private func report(
    _ measured: Measured, work: ModelWork, verification: Verification?, peak: ProductPeak?,
    encode: Timing, optimizer: Double, peakResident: Int?, kernels: [KernelReport]?
  ) -> BenchmarkReport {
    let step = Timing(measured.seconds)
    // Threads without a shard do nothing.
    let busy = Double(min(pool.threads, shards.count))
    func part(_ path: KeyPath<StepParts.Seconds, Double>) -> Double {
      Timing.median(measured.parts.map { $0[keyPath: path] / busy })
    }
    let (data, forward, quantizer) = (part(\.data), part(\.forward), part(\.quantizer))
    let split = BenchmarkReport.Split(
      data: data, forward: forward, quantizer: quantizer,
      backward: max(0, step.median - data - forward - quantizer - optimizer),
      optimizer: optimizer)
    let flop = work.flopPerImage * batchSize
    let rounds = peak.map { peak in
      stride(from: 0, to: peak.allThreads.count, by: ProductPeak.repetitions).compactMap {
        peak.allThreads[$0..<($0 + ProductPeak.repetitions)].max()
      }
    }
    let best = peak?.allThreads.max()
    return BenchmarkReport(
      kernelSet: KernelSet.current.rawValue, batch: batchSize, threads: pool.threads,
      steps: measured.seconds.count, secondsPerStep: step,
      split: split, imagesPerSecond: Double(batchSize) / step.median, secondsPerEncode: encode,
      encodeImagesPerSecond: Double(batchSize) / encode.median,
      sgemmPeakOneThread: peak?.oneThread.max(), sgemmPeak: best,
      sgemmPeakMedian: peak.map { Timing.median($0.allThreads) }, sgemmPeakRounds: rounds,
      blasCore: BLAS.coreName, flopPerStep: flop,
      fractionOfPeak: best.map { Double(flop) * 1e-9 / step.median / $0 },
      firstStepSeconds: firstStep, peakAnonymousBytes: measured.peakAnonymous,
      peakResidentBytes: peakResident,
      pageFaultsPerStep: Double(measured.pageFaults) / Double(measured.seconds.count),
      anonymousGrowth: Self.growth(measured.anonymous), verification: verification,
      kernels: kernels)
  }

  /// The growth within each block, summed over the blocks and relative to the first value, or nil without a
  /// positive first value.
  package static func growth(_ blocks: [[Int]]) -> Double? {
    guard let start = blocks.first?.first, start > 0 else { return nil }
    let growth = blocks.reduce(0) { $0 + (($1.last ?? 0) - ($1.first ?? 0)) }
    return Double(growth) / Double(start)
  }
}
