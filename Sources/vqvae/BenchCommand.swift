import ArgumentParser
import BLAS
import Benchmarks
import Configurations
import Files
import Runtime
import TerminalText
import Training

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures training on this machine; writes nothing.",
    discussion: """
      Makes training steps with a configuration, and compares every kernel that they use with the \
      reference on the same shapes: if one is wrong, no figure is printed. data, forward and \
      quantizer are the time that the threads spent there in the measured steps, divided by the number \
      of threads; optimizer is measured by itself; backward is the rest, including waiting. The FLOP \
      of a step are counted from the definitions of its convolutions and distances, even if a kernel \
      needs fewer; the peak is that of large matrix products.

      --scaling instead measures how the cost of a step and of encoding depends on batch size, image \
      area, codewords, their width and hidden channels: the configuration, on synthetic images, and \
      about twenty others in which one of these is changed, in turns, in one to two minutes.
      """)

  @Option(
    help: ArgumentHelp(
      "The configuration, a YAML file, or - for standard input; by default the default values, on "
        + "synthetic images.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Overrides a field of the configuration, such as model.hidden=64.", valueName: "key=value"))
  var overrides: [String] = []

  @Option(help: ArgumentHelp("Images per step; overrides training.batch_size.", valueName: "n"))
  var batch: Int?

  @Option(
    help: ArgumentHelp(
      "Steps to measure; by default as many as take about ten seconds. With --scaling, steps of each "
        + "configuration in each of seven rounds.", valueName: "n"))
  var steps: Int?

  @Option(help: ArgumentHelp("Steps before those, not counting the first.", valueName: "n"))
  var warmup = 3

  @Flag(help: "Also measure each kernel by itself.")
  var kernels = false

  @Flag(help: "Measure how the cost depends on the sizes of batch, image, codebook and model.")
  var scaling = false

  @Flag(help: "Skip the verification and the peak of matrix products.")
  var quick = false

  @Flag(help: "Print only one JSON object on standard output.")
  var json = false

  @OptionGroup var threading: ThreadOptions

  func validate() throws {
    if let batch, !(1...65_536).contains(batch) {
      throw ValidationError("--batch takes a number from 1 to 65536, not \(batch).")
    }
    if let steps, !(1...1_000_000).contains(steps) {
      throw ValidationError("--steps takes a number from 1 to 1000000, not \(steps).")
    }
    guard (0...1_000_000).contains(warmup) else {
      throw ValidationError("--warmup takes a number from 0 to 1000000, not \(warmup).")
    }
    if scaling, kernels {
      throw ValidationError("--scaling and --kernels cannot be combined.")
    }
  }

  func run() throws {
    let configuration = try configuration()
    try KernelSelection.use(configuration.training.kernels)
    let threads = threading.threads ?? configuration.training.threads ?? Processors.allowed
    if scaling {
      try measureScaling(configuration, threads: threads)
    } else {
      try measure(configuration, threads: threads)
    }
  }

  private func measure(_ configuration: Configuration, threads: Int) throws {
    var benchmark = try Benchmark(configuration, threads: threads)
    announce(configuration)
    var options = Benchmark.Options()
    options.steps = steps
    options.warmup = warmup
    options.isQuick = quick
    options.measuresKernels = kernels
    try report {
      try benchmark.run(options, progress: Self.progress)
    } lines: {
      BenchTable($0).lines
    }
  }

  private func measureScaling(_ configuration: Configuration, threads: Int) throws {
    let benchmark = try ScalingBenchmark(configuration, threads: threads)
    announce(configuration)
    var options = ScalingBenchmark.Options()
    options.steps = steps
    options.isQuick = quick
    try report {
      try benchmark.run(options, progress: Self.progress)
    } lines: {
      ScalingTable($0).lines
    }
  }

  private func announce(_ configuration: Configuration) {
    guard !json else { return }
    Terminal.note(
      "\(config.map { visible($0) } ?? "the default configuration"): \(configuration.data.kind), "
        + "\(configuration.model.summary), quantizer \(configuration.quantizer.kind), "
        + KernelSelection.summary)
    if let warning = BLAS.threadWarning { Terminal.note(warning) }
  }

  private static func progress(_ doing: String) {
    Terminal.rewrite { leadingWords(doing, width: $0) }
  }

  /// Prints what `measure` returns.
  private func report<Report: Encodable>(
    _ measure: () throws -> Report, lines: (Report) -> [String]
  ) throws {
    let result = Result { try measure() }
    // The line is cleared after an error too, since its message would follow the line.
    Terminal.clearLine()
    let report = try result.get()
    if json {
      try Terminal.result(json: report)
    } else {
      try Terminal.result(lines(report).joined(separator: "\n"))
    }
  }

  private func configuration() throws -> Configuration {
    let overrides = overrides + (batch.map { ["training.batch_size=\($0)"] } ?? [])
    guard let config else {
      return try ConfigurationReader.read(
        yaml: "{}", name: "default configuration", overrides: overrides)
    }
    return try ConfigurationReader.read(
      file: expandedPath(config), overrides: overrides, needsRunFolder: false)
  }
}
