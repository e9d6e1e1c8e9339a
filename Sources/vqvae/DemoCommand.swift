import ArgumentParser
import Configurations
import Diagnostics
import Files
import Models
import Runtime
import TerminalText
import Training

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Trains a small model in about a minute, and draws what it has learned.",
    discussion: """
      Trains on synthetic images, evaluates the model on the test split, and writes demo.png into the run \
      folder: test images, each above its reconstruction. Needs no files. Ctrl-C saves, and prints the \
      command that resumes the run, as for train.
      """)

  @Argument(
    help: ArgumentHelp(
      "The run folder, which is created; by default runs/demo.", valueName: "folder"),
    completion: .directory)
  var folder: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Overrides a field of the demo's configuration, such as training.steps=100.",
      valueName: "key=value"))
  var overrides: [String] = []

  @OptionGroup var threading: ThreadOptions

  func run() throws {
    let configuration = try DemoConfiguration.read(
      overrides: overrides, runFolder: folder.map { try expandedPath($0) })
    let folder = RunFolder(configuration.outputFolder)
    try Self.requireNew(folder)
    try KernelSelection.use(configuration.training.kernels)
    let threads = threading.threads ?? configuration.training.threads ?? Processors.allowed
    var session = try Self.session(configuration, threads: threads)
    let guide = DemoGuide(folder)
    do {
      try session.run()
    } catch let stopped as ExitCode {
      guide.showSteps("Then, to see what it has learned:")
      throw stopped
    }
    let stop = session.stop
    let pool = WorkerPool(threads: threads)
    let trained = try TrainedModel(folder.path, .test)
    let report = try EvaluationReport(of: trained, pool: pool) { stop.isRaised }
    guard let report, !stop.isRaised else { throw Self.stopped(stop, guide) }
    let picture = try ReconstructionPicture(
      of: trained, count: DemoGuide.images, scale: DemoGuide.scale, pool: pool)
    try picture.write(to: guide.picture)
    try Terminal.result(report.table, advice: session.savedAdvice)
    try picture.report(guide.picture)
    guide.show(picture.count)
  }

  /// Opens the run. The advice of an error about its folder is that of `train`, which has other options.
  private static func session(
    _ configuration: Configuration, threads: Int
  ) throws -> TrainingSession {
    do {
      return try TrainingSession(RunStart(new: configuration), threads: threads)
    } catch let problem as Problem where problem.status == .cannotCreate {
      throw Problem(
        problem.status, problem.subject, found: problem.found, expected: problem.expected,
        advice: another)
    }
  }

  /// A signal after the training. Nothing has to be resumed.
  private static func stopped(_ stop: StopSignal, _ guide: DemoGuide) -> ExitCode {
    guide.showSteps("The run is complete. To see what it has learned:")
    return ExitCode((stop.status ?? .interrupted).rawValue)
  }

  private static let another = "vqvae demo FOLDER makes its run in another folder."

  /// Refuses a folder with files in it, since the demo would add its own to them.
  private static func requireNew(_ folder: RunFolder) throws {
    let path = folder.path
    guard try isFolder(path), try !isEmptyFolder(path) else { return }
    guard try folder.holdsRun else {
      throw Problem(
        .cannotCreate, path, found: "the folder has files already", expected: "a new folder",
        advice: another)
    }
    throw Problem(
      .cannotCreate, path, found: "the folder holds a run already", expected: "a new folder",
      advice: "vqvae eval \(shellWord(path)) --split test measures that run, and vqvae train --run "
        + "\(shellWord(path)) --resume continues it if it was stopped; \(another)")
  }
}
