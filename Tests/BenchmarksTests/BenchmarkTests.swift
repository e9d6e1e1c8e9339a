import Benchmarks
import Configurations
import Diagnostics
import Files
import TestSupport
import Testing
import Training

@Suite("A benchmark")
struct BenchmarkTests {
  private func configuration(_ settings: String...) throws -> Configuration {
    try ConfigurationReader.read(
      yaml: """
        data: {kind: synthetic, images: 300}
        model: {hidden: 8, residual_layers: 1, residual_hidden: 4}
        quantizer: {codebook_size: 24, dimension: 6}
        training: {batch_size: 70}
        """, name: "small.yaml", overrides: settings)
  }

  @Test(
    "all parts of a step are measured and add up to the step",
    arguments: ["vq", "ema", "fsq", "lfq"])
  func split(kind: String) throws {
    var benchmark = try Benchmark(configuration("quantizer.kind=\(kind)"), threads: 2)
    var options = Benchmark.Options()
    options.steps = 9
    options.warmup = 2
    options.isQuick = true
    var doing: [String] = []
    let report = try benchmark.run(options) { doing.append($0) }
    let split = report.split
    for part in [split.data, split.forward, split.quantizer, split.optimizer] {
      #expect(part > 0 && part < report.secondsPerStep.median)
    }
    let sum = split.data + split.forward + split.quantizer + split.backward + split.optimizer
    #expect(abs(sum - report.secondsPerStep.median) < 1e-9 || split.backward == 0)
    #expect(report.steps == 9)
    #expect(doing.count { $0.hasPrefix("warm-up") } == 2)
    #expect(doing.contains("step 9 of 9"))
    #expect(!doing.contains { $0.contains("verifying") || $0.contains("products") })
    #expect(report.verification == nil && report.sgemmPeak == nil && report.fractionOfPeak == nil)
    #expect(report.imagesPerSecond == 70 / report.secondsPerStep.median)
  }

  @Test("a loss or gradient that is not finite stops a benchmark, as it stops training")
  func divergence() throws {
    let configuration = try configuration("training.learning_rate=1e11")
    let problem = #expect(throws: Problem.self) {
      var benchmark = try Benchmark(configuration, threads: 1)
      var options = Benchmark.Options()
      options.steps = 50
      options.isQuick = true
      _ = try benchmark.run(options)
    }
    #expect(problem?.status == .diverged)
  }

  @Test("growth is counted only within blocks, relative to the first value")
  func growth() {
    #expect(Benchmark.growth([[100, 101, 103], [200, 202]]) == 0.05)
    #expect(Benchmark.growth([[100, 150, 100], []]) == 0)
    #expect(Benchmark.growth([[100], [90, 80]]) == -0.1)
    #expect(Benchmark.growth([[], []]) == nil)
  }

  @Test("a median is the middle sample, or the mean of the two middle samples")
  func timing() {
    #expect(Timing([3, 1, 2]) == Timing([2, 1, 2, 2.5]))
    #expect(Timing.median([4, 1, 3, 2]) == 2.5)
    #expect(Timing.median([]) == 0)
    #expect(Timing([5, 7]).best == 5)
  }
}
