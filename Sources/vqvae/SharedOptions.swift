import ArgumentParser
import Autoencoders
import BLAS
import Configurations
import Datasets
import Diagnostics
import Files
import Models
import Training

struct ThreadOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Worker threads; by default, the number of processors available to this process. Results do not depend on it.",
      valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads takes a number from 1 to 1024, not \(threads).")
    }
  }
}

/// A trained model and the images to apply it to.
struct ModelArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A checkpoint file, or a run folder, which means its best checkpoint, or its last if there is no best one.",
      valueName: "run-or-checkpoint"),
    completion: .file())
  var model: String

  @Option(
    help: ArgumentHelp(
      "The folder of the CIFAR-10 batch files; by default that of the run.", valueName: "folder"),
    completion: .directory)
  var data: String?

  /// Reads the checkpoint that `model` names, and opens the images of a split.
  func load(
    _ split: SplitName
  ) throws -> (path: String, checkpoint: Checkpoint<VQVAE>, images: ImageSplit) {
    let (path, run) = try RunFolder.checkpoint(expandedPath(model))
    let checkpoint = try Checkpoint<VQVAE>(path, for: .evaluation)
    var configuration = checkpoint.experiment.configuration
    if let data, !configuration.data.has(field: "root") {
      throw Problem(
        .usage, "--data \(data)", found: "the model was trained on synthetic images",
        advice: "Leave the option out: they are regenerated from the checkpoint's seed.")
    }
    if configuration.data.has(field: "root") {
      configuration.data.root = try data.map { try expandedPath($0) } ?? run.flatMap(Self.root)
    }
    let images = try configuration.data.split(split, seed: configuration.seed)
    guard images.image == checkpoint.experiment.facts.image else {
      throw Problem(
        .badData, path, found: "the images are \(images.image)",
        expected: "\(checkpoint.experiment.facts.image)")
    }
    return (path, checkpoint, images)
  }

  /// The image folder of a run, or nil; a checkpoint does not hold paths.
  private static func root(_ run: RunFolder) throws -> String? {
    guard try fileExists(run.configuration) else { return nil }
    return try run.savedConfiguration().configuration.data.root
  }
}

extension SplitName: ExpressibleByArgument {}

extension BLAS {
  /// A warning if this OpenBLAS ignores our thread count, or nil.
  static var threadWarning: String? {
    guard isOpenMPBuild, threadCount != 1 else { return nil }
    return "this OpenBLAS is an OpenMP build that ignores our thread count; set OMP_NUM_THREADS=1"
  }
}
