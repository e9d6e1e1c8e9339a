import ArgumentParser
import Benchmarks
import Files
import FoundationEssentials
import Kernels
import Training

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures training on this machine; writes nothing.",
    discussion: """
      Makes training steps of a configuration, and compares every kernel that they use with the \
      reference on the same shapes: no figure is printed where one is wrong. data, forward and \
      quantizer are what the threads spent there in the measured steps, over the number of threads; \
      optimizer is measured by itself; backward is the rest, waiting included. The FLOP of a step are \
      those of the definitions of its convolutions and distances, whatever the kernels get by with; \
      the peak is that of large matrix products.
      """)

  @Option(
    help: ArgumentHelp(
      "The configuration, YAML, or - for standard input; by default the program's, on synthetic "
        + "images.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Overrides a field of the configuration, such as model.hidden=64.", valueName: "key=value"))
  var overrides: [String] = []

  @Option(help: ArgumentHelp("Images in a step; overrides training.batch_size.", valueName: "n"))
  var batch: Int?

  @Option(
    help: ArgumentHelp(
      "Steps to measure; by default as many as take some ten seconds.", valueName: "n"))
  var steps: Int?

  @Option(help: ArgumentHelp("Steps before them, besides the first.", valueName: "n"))
  var warmup = 3

  @Flag(help: "Measure each kernel by itself as well.")
  var kernels = false

  @Flag(help: "Leave out the verification and the peak of matrix products.")
  var quick = false

  @Flag(help: "Print one JSON object on standard output, and nothing else there.")
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
  }

  func run() throws {
    let configuration = try configuration()
    let threads = threading.threads ?? configuration.training.threads ?? Processors.allowed
    var benchmark = try Benchmark(configuration, threads: threads)
    if !json {
      Terminal.note(
        "\(config ?? "the default configuration"): \(configuration.data.kind.rawValue), "
          + "\(configuration.modelSummary), quantizer \(configuration.quantizer.kind.rawValue)")
      if let warning = BLAS.threadWarning { Terminal.note(warning) }
    }
    var options = Benchmark.Options()
    options.steps = steps
    options.warmup = warmup
    options.isQuick = quick
    options.measuresKernels = kernels
    defer { if Terminal.isInteractive { Terminal.rewrite("") } }
    let report = try benchmark.run(options) { doing in
      if Terminal.isInteractive { Terminal.rewrite(doing) }
    }
    if Terminal.isInteractive { Terminal.rewrite("") }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      Terminal.result(String(decoding: try encoder.encode(report), as: UTF8.self))
    } else {
      for line in BenchTable(report).lines { Terminal.result(line) }
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
