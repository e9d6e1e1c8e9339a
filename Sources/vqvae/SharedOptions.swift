import ArgumentParser
import BLAS
import Datasets
import Files

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
  func load(_ split: SplitName) throws -> TrainedModel {
    try TrainedModel(expandedPath(model), split, data: data)
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
