import Autoencoders
import Autograd
import Models
import NN
import Quantizers
import Runtime
import Tensors
import Training

/// The speed of one kernel.
package struct KernelReport: Sendable, Encodable {
  package let name: String
  /// Its callers in a training step, such as a layer and what it computes.
  package let uses: [String]
  /// Images, vectors or parameters per call.
  package let count: Int
  /// Seconds per call.
  package let seconds: Timing
  /// GFLOP/s of all threads together at the median time, and that as a fraction of the peak of matrix
  /// products.
  @OrNull package var gigaflopsPerSecond: Double?
  @OrNull package var fractionOfPeak: Double?
  /// Bytes read and written per second at the median time, and that as a fraction of a plain copy over the
  /// same amount of memory.
  @OrNull package var bytesPerSecond: Double?
  @OrNull package var fractionOfBandwidth: Double?
}

/// Measures kernels one by one on a model's shapes.
///
/// As in training, all threads work at once, each on its own shard; Adam runs on one thread.
struct KernelBenchmark {
  private let work: ModelWork
  private let experiment: Experiment<VQVAE>
  private let pool: WorkerPool
  private let peak: Double?
  private let shardSize: Int

  /// Seconds per round.
  private static let roundSeconds = 0.05
  private static let rounds = 5

  /// - Parameter peak: GFLOP/s of matrix products on all threads, or nil if not measured.
  init(_ work: ModelWork, _ experiment: Experiment<VQVAE>, pool: WorkerPool, peak: Double?) {
    self.work = work
    self.experiment = experiment
    self.pool = pool
    self.peak = peak
    shardSize =
      Shards(
        of: experiment.configuration.training.batchSize,
        size: experiment.configuration.training.shardImages
      ).size
  }

  func run(_ progress: (String) -> Void) -> [KernelReport] {
    var reports: [KernelReport] = []
    for call in work.calls {
      progress("kernel \(call.name)")
      reports.append(convolution(call))
    }
    for (latent, quantizer) in zip(
      experiment.model.architecture.latents, experiment.model.quantizers)
    {
      guard let codebook = quantizer.codebook else { continue }
      progress("nearest codeword")
      reports.append(search(codebook, vectors: shardSize * latent.height * latent.width))
    }
    progress("Adam")
    reports.append(adam())
    return reports
  }

  private func convolution(_ call: ConvolutionCall) -> KernelReport {
    let kernels = ConvolutionKernels(experiment.model.convolution)
    let operands = ConvolutionOperands(call, count: shardSize)
    return arithmetic(
      call.name,
      uses: work.entries.filter { $0.call == call }.map { "\($0.layer) \($0.role.rawValue)" },
      count: shardSize, flop: 2 * call.multiplyAdds * shardSize
    ) { _ = kernels.compute(call, operands) }
  }

  private func search(_ codebook: Codebook, vectors count: Int) -> KernelReport {
    let codewords = randomTensor(codebook.parameter.shape, "codebook").keepingPackedForms()
    let vectors = randomTensor([count, codebook.dimension], "vectors")
    return arithmetic(
      "nearest of \(codebook.codewords) codewords of \(codebook.dimension)",
      uses: [codebook.parameter.name], count: count,
      flop: 2 * count * codebook.parameter.shape.count
    ) { _ = codewords.nearestCodes(to: vectors, by: codebook.distances) }
  }

  /// Measures a kernel by its FLOP, on all threads at once.
  private func arithmetic(
    _ name: String, uses: [String], count: Int, flop: Int,
    _ body: @escaping @Sendable () -> Void
  ) -> KernelReport {
    // Enough calls in a row that the cost of dispatching is negligible. All threads make the same calls at
    // the same time, so the quotient is the time of one call.
    func round(_ calls: Int) -> Double {
      Timing.seconds { pool.forEach(count: pool.threads) { _ in for _ in 0..<calls { body() } } }
        / Double(calls)
    }
    _ = round(1)
    let calls = max(1, Int(Self.roundSeconds / max(round(1), 1e-9)))
    let seconds = Timing((0..<Self.rounds).map { _ in round(calls) })
    let speed = Double(flop) * Double(pool.threads) * 1e-9 / seconds.median
    return KernelReport(
      name: name, uses: uses, count: count, seconds: seconds, gigaflopsPerSecond: speed,
      fractionOfPeak: peak.map { speed / $0 }, bytesPerSecond: nil, fractionOfBandwidth: nil)
  }

  /// Measures Adam by its memory traffic: it reads four arrays, writes three of them, and computes little.
  private func adam() -> KernelReport {
    let trained = experiment.model.parameters.filter { $0.role == .trained }
    let count = trained.reduce(0) { $0 + $1.shape.count }
    let gradients = Dictionary(
      uniqueKeysWithValues: trained.map { ($0.name, randomTensor($0.shape, $0.name)) })
    var state = ModelState(initial: trained, seed: 1)
    let optimizer = Adam(trained, options: .init(learningRate: 1e-4))
    let seconds = Self.timing {
      optimizer.update(&state, step: 1, pool: pool) { gradients[$0.name] }
    }
    let bytes = Double(7 * count * MemoryLayout<Float>.stride)

    // Source and target together are as large as the four arrays.
    let source = randomTensor([2 * count], "source")
    var target = Tensor(zeros: [2 * count])
    let copying = Self.timing { target.copyElements(of: source) }
    let bandwidth = Double(4 * count * MemoryLayout<Float>.stride) / copying.median
    return KernelReport(
      name: "Adam", uses: ["optimizer"], count: count, seconds: seconds, gigaflopsPerSecond: nil,
      fractionOfPeak: nil, bytesPerSecond: bytes / seconds.median,
      fractionOfBandwidth: bytes / seconds.median / bandwidth)
  }

  /// Seconds per call on this thread.
  private static func timing(_ body: () -> Void) -> Timing {
    body()
    let calls = max(1, Int(roundSeconds / max(Timing.seconds(body), 1e-9)))
    return Timing(
      (0..<rounds).map { _ in
        Timing.seconds { for _ in 0..<calls { body() } } / Double(calls)
      })
  }
}
