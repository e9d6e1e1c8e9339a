import ArgumentParser
import Autoencoders
import BLAS
import Configurations
import Files
import Models
import Quantizers
import Runtime
import TerminalText
import Training

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", _superCommandName: "vqvae",
    abstract: "Trains a model and keeps its run in a folder.",
    discussion: """
      The run folder gets config.yaml, metrics.jsonl and checkpoints/{last,best}.safetensors. Ctrl-C, \
      SIGTERM and SIGHUP finish the step, save, and print the command that resumes the run; a second \
      Ctrl-C leaves at once, without saving. SIGUSR1 saves and training goes on. A resumed run continues \
      from the later of its two checkpoints.
      """)

  @Option(
    help: ArgumentHelp(
      "The configuration, a YAML file, or - for standard input; with --resume, by default that of the "
        + "run.",
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

  @Flag(help: "Resume the run in the run folder.")
  var resume = false

  @Option(
    help: ArgumentHelp(
      "Start a new run with the weights of another one's checkpoint, at step 0.",
      valueName: "run-or-checkpoint"),
    completion: .file())
  var initFrom: String?

  @OptionGroup var threading: ThreadOptions

  func run() throws {
    // Not in validate(), which runs before a misspelled --config is reported.
    if config == nil, !(resume && runFolder != nil) {
      throw UsageError("Missing --config FILE (or --run FOLDER --resume).", of: Self.self)
    }
    if resume, initFrom != nil {
      throw UsageError(
        "--resume and --init-from exclude each other: a resumed run has its own weights.",
        of: Self.self)
    }
    let configuration = try configuration()
    try KernelSelection.use(configuration.training.kernels)
    let start: RunStart<VQVAE> =
      try resume
      ? RunStart(resuming: configuration)
      : RunStart(new: configuration, weights: initFrom.map { try expandedPath($0) })
    if let steps = start.completedSteps {
      return try reportCompleted(start.folder.path, steps: steps, configuration)
    }
    let threads = threading.threads ?? configuration.training.threads ?? Processors.allowed
    var training = try TrainingRun(start, threads: threads)
    let folder = training.folder
    let progress = TrainProgress(training.experiment.configuration.training)
    announce(training, to: progress)
    // Not earlier: before the first step there is nothing to save, and a signal ends the process at once.
    let stop = StopSignal()
    stop.listen(Self.words)
    let outcome = try training.run(stop: stop, observe: progress.show)
    switch outcome {
    case .finished:
      progress.note("done: \(counted(training.state.step, "step"))")
      var rows = [["run", folder.path], ["last", folder.last]]
      if try fileExists(folder.best) { rows.append(["best", folder.best]) }
      try Terminal.result(
        rows: rows,
        advice: "The run is complete: \(folder.last) has been saved at step \(training.state.step)."
      )
    case .stopped(let status):
      progress.note("saved \(visible(folder.last)) at step \(training.state.step); resume with:")
      Terminal.command([
        Program.commandName, "train", "--run", shellWord(folder.path), "--resume",
      ])
      throw ExitCode(status.rawValue)
    }
  }

  /// The messages of the signal handlers, written below the line that is being rewritten.
  private static var words: StopSignal.Words {
    let start = Terminal.isInteractive ? "\n" : ""
    return StopSignal.Words(
      stopping: start + "stopping after this step; once more to leave at once\n",
      leaving: start + "left without saving\n")
  }

  /// Reports that a run has no steps left.
  private func reportCompleted(_ run: String, steps: Int, _ configuration: Configuration) throws {
    let training = configuration.training
    let made = "\(run) has already made \(counted(steps, "step"))"
    // A cosine schedule has reached its end: another number of steps would be a different run.
    let more = training.schedule == .cosine ? "" : "; raise training.steps to continue"
    let why = steps > training.steps ? " (training.steps: \(training.steps))" : ""
    try Terminal.result(
      visible("\(made)\(why): nothing is left to do\(more)"),
      advice: "The run is complete: its last checkpoint is \(RunFolder(run).last).")
  }

  private func configuration() throws -> Configuration {
    let runFolder = try runFolder.map { try expandedPath($0) }
    guard let config else {
      let saved = try RunFolder(runFolder ?? "").savedConfiguration(overrides: overrides)
      if let note = saved.note { Terminal.note(note) }
      return saved.configuration
    }
    return try ConfigurationReader.read(
      file: expandedPath(config), overrides: overrides, runFolder: runFolder)
  }

  private func announce(_ training: TrainingRun<VQVAE>, to progress: TrainProgress) {
    let threads = training.threads
    let experiment = training.experiment
    let options = experiment.configuration
    let parameters = experiment.model.parameters.filter { $0.role == .trained }
      .reduce(0) { $0 + $1.shape.count }
    progress.note(
      "\(options.data.kind): \(training.dataset.train.count) training and "
        + "\(counted(training.dataset.validation.count, "validation image")) "
        + "of \(experiment.facts.image.height)×\(experiment.facts.image.width), "
        + "variance \(fixed(experiment.facts.variance, 5))")
    progress.note(
      "\(options.model.summary): \(counted(parameters, "trained parameter")); "
        + "quantizer \(options.quantizer.kind), "
        + codewords(experiment.model.quantizers[0])
        + codebooks(experiment.model.architecture.latents)
        + "; at most \(fixed(experiment.bitsPerDimension, 4)) bits per dimension")
    progress.note(
      "\(counted(threads, "thread")), \(KernelSelection.summary); run folder \(visible(training.folder.path))"
        + (training.state.step > 0 ? ", resumed at step \(training.state.step)" : ""))
    if let warning = BLAS.threadWarning { progress.note(warning) }
    for note in training.notes { progress.note(note) }
  }

  /// The number and dimension of a quantizer's codewords; all latents have quantizers of the same kind.
  private func codewords(_ quantizer: any Quantizer) -> String {
    let alphabet = quantizer.alphabet
    let count =
      alphabet.count == 1
      ? counted(alphabet[0], "codeword")
      : alphabet.map(String.init).joined(separator: "×") + " codewords"
    return "\(count) of dimension \(quantizer.dimension)"
  }

  /// The grids of codes, for several codebooks in the order in which progress shows their numbers.
  private func codebooks(_ latents: [Latent]) -> String {
    guard latents.count > 1 else { return ", \(latents[0].height)×\(latents[0].width) codes" }
    return " in each of \(latents.count) codebooks: "
      + latents.map { "\($0.name), \($0.height)×\($0.width) codes" }.joined(separator: "; ")
  }
}
