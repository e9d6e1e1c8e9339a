import Autoencoders
import Configurations
import Datasets
import Diagnostics
import Files
import Models
import Training

/// A trained model, and the images of a split to apply it to.
struct TrainedModel {
  /// The checkpoint file.
  let path: String
  let checkpoint: Checkpoint<VQVAE>
  let split: SplitName
  let images: ImageSplit

  var step: Int { checkpoint.state.step }

  /// - Parameters:
  ///   - runOrCheckpoint: a checkpoint file, or a run folder (see ``RunFolder/checkpoint(_:)``).
  ///   - data: the folder of the CIFAR-10 batch files; by default that of the run.
  init(_ runOrCheckpoint: String, _ split: SplitName, data: String? = nil) throws {
    let run: RunFolder?
    (path, run) = try RunFolder.checkpoint(runOrCheckpoint)
    checkpoint = try Checkpoint<VQVAE>(path, for: .evaluation)
    self.split = split
    var configuration = checkpoint.experiment.configuration
    if let data, !configuration.data.has(field: "root") {
      throw Problem(
        .usage, "--data \(data)", found: "the model was trained on synthetic images",
        advice: "Leave the option out: they are regenerated from the checkpoint's seed.")
    }
    if configuration.data.has(field: "root") {
      configuration.data.root = try data.map { try expandedPath($0) } ?? run.flatMap(Self.root)
    }
    images = try configuration.data.split(split, seed: configuration.seed)
    guard images.image == checkpoint.experiment.facts.image else {
      throw Problem(
        .badData, path, found: "the images are \(images.image)",
        expected: "\(checkpoint.experiment.facts.image)")
    }
  }

  /// The image folder of a run, or nil; a checkpoint does not hold paths.
  private static func root(_ run: RunFolder) throws -> String? {
    guard try fileExists(run.configuration) else { return nil }
    return try run.savedConfiguration().configuration.data.root
  }
}
