import ArgumentParser
import Files
import Kernels
import Training
import VectorQuantization

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", _superCommandName: "vqvae",
    abstract: "Trains a model and keeps its run in a folder.",
    discussion: """
      The run folder gets config.yaml, metrics.jsonl and checkpoints/{last,best}.safetensors. Ctrl-C \
      finishes the step, saves, and prints the command that goes on; a second one leaves at once.
      """)

  @Option(
    help: ArgumentHelp(
      "The configuration, YAML, or - for standard input; with --resume by default the run's.",
      valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Overrides a field of the configuration, such as training.steps=100.", valueName: "key=value")
  )
  var overrides: [String] = []

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp("The run folder; overrides output.folder.", valueName: "folder"),
    completion: .directory)
  var runFolder: String?

  @Flag(help: "Go on with the run in the folder.")
  var resume = false

  @OptionGroup var threading: ThreadOptions

  func run() throws {
    // Not in validate(), which comes before a mistyped --config is reported.
    if config == nil, !(resume && runFolder != nil) {
      // Through this command, so that its usage is shown, and not the program's.
      Self.exit(
        withError: ValidationError("Missing --config FILE (or --run FOLDER --resume)."))
    }
    // Before signals are caught: a pipe can be waited for, and Ctrl-C has to end that.
    let configuration = try configuration()
    let stop = StopSignal()
    stop.listen {
      // Below the line that is being rewritten.
      let start = Terminal.isInteractive ? "\n" : ""
      Terminal.note(start + "stopping after this step; once more to leave at once")
    }

    if resume, let steps = try TrainingRun.completedSteps(configuration) {
      // A cosine has come to its end, and another number of steps is another run.
      let advice =
        configuration.training.schedule == .cosine ? "" : "; raise training.steps to go on"
      Terminal.result(
        "\(configuration.output.folder ?? "the run") has made its \(steps) steps\(advice)")
      return
    }
    let threads = threading.threads ?? configuration.training.threads ?? Processors.allowed
    var training = try TrainingRun(configuration, resume: resume, threads: threads)
    let folder = training.folder
    let steps = configuration.training.steps
    let progress = TrainProgress(training.experiment)
    announce(training, to: progress)
    let outcome = try training.run(stop: stop, observe: progress.show)
    switch outcome {
    case .finished:
      progress.note("done: \(steps) steps")
      Terminal.result("run\t\(folder.path)")
      Terminal.result("last\t\(folder.last)")
      if fileExists(folder.best) { Terminal.result("best\t\(folder.best)") }
    case .stopped(let status):
      progress.note("saved \(folder.last) at step \(training.state.step); go on with:")
      Terminal.note(
        "  \(shellWord(CommandLine.arguments[0])) train --run \(shellWord(folder.path)) --resume")
      throw ExitCode(status.rawValue)
    }
  }

  private func configuration() throws -> Configuration {
    let runFolder = try runFolder.map { try expandedPath($0) }
    let file = try config.map { try expandedPath($0) } ?? RunFolder(runFolder ?? "").configuration
    if config == nil, !fileExists(file) {
      throw Problem(
        .missingInput, runFolder ?? "", found: "there is no run to resume",
        advice: "Start one with vqvae train --config FILE.")
    }
    return try ConfigurationReader.read(file: file, overrides: overrides, runFolder: runFolder)
  }

  private func announce(_ training: TrainingRun, to progress: TrainProgress) {
    let threads = training.threads
    let experiment = training.experiment
    let options = experiment.configuration
    let parameters = experiment.model.parameters.filter { $0.role == .trained }
      .reduce(0) { $0 + $1.shape.count }
    progress.note(
      "\(options.data.kind.rawValue): \(training.dataset.train.count) training and "
        + "\(training.dataset.validation.count) validation images "
        + "of \(experiment.imageHeight)×\(experiment.imageWidth), "
        + "variance \(fixed(experiment.variance, 5))")
    progress.note(
      "\(options.modelSummary): \(parameters) trained parameters; "
        + "quantizer \(options.quantizer.kind.rawValue), "
        + "\(options.quantizer.codebookSize) codewords of \(options.quantizer.dimension)"
        + codebooks(experiment.model.architecture.latents)
        + "; at most \(fixed(experiment.bitsPerDimension, 4)) bits a dimension")
    progress.note(
      "\(threads) \(threads == 1 ? "thread" : "threads"), OpenBLAS \(BLAS.coreName)"
        + (BLAS.prescribedCoreName == nil ? "" : " (as OPENBLAS_CORETYPE says)")
        + "; run folder \(training.folder.path)"
        + (training.state.step > 0 ? ", resumed at step \(training.state.step)" : ""))
    if let warning = BLAS.threadWarning { progress.note(warning) }
  }

  /// The grids of codes; of several codebooks in the order in which progress shows their numbers.
  private func codebooks(_ latents: [Latent]) -> String {
    guard latents.count > 1 else { return ", \(latents[0].height)×\(latents[0].width) codes" }
    return " in each of \(latents.count) codebooks: "
      + latents.map { "\($0.name), \($0.height)×\($0.width) codes" }.joined(separator: "; ")
  }
}
