import ArgumentParser
import Autoencoders
import Configurations
import Files
import Models
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
    var session = try TrainingSession(start, threads: threads)
    try session.run()
    let folder = session.folder
    var rows = [["run", folder.path], ["last", folder.last]]
    if try fileExists(folder.best) { rows.append(["best", folder.best]) }
    try Terminal.result(rows: rows, advice: session.savedAdvice)
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
}
