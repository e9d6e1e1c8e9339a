import Datasets
import Files

extension Configuration {
  /// Opens the training images and cuts off the validation split.
  package func dataset() throws -> Dataset {
    let dataset: Dataset
    switch data.kind {
    case .cifar10:
      let source = try CIFAR10(folder: try root(), files: CIFAR10.trainingFiles)
      dataset = try Dataset(source, validation: data.validation) {
        try source.scan(including: $0)
      }
    case .synthetic:
      let source = Synthetic(seed: seed, first: 0, count: data.images, side: data.side)
      dataset = try Dataset(source, validation: data.validation) { source.moments(including: $0) }
    }
    guard dataset.train.count > 0, dataset.variance > 0 else {
      throw Problem(
        .badData, data.root ?? "data",
        found: "\(dataset.train.count) images with a variance of \(dataset.variance) to train on",
        expected: "images that differ",
        advice: "data.validation (\(data.validation)) holds a part of the images out.")
    }
    return dataset
  }

  /// Opens one split.
  package func split(_ name: SplitName) throws -> ImageSplit {
    switch (name, data.kind) {
    case (.train, _): return try dataset().train
    case (.validation, _):
      let split = try dataset().validation
      guard split.count > 0 else {
        throw Problem(
          .badConfiguration, "data.validation", found: "no image is held out",
          advice: "Use --split test or --split train, or train with a fraction above 0.")
      }
      return split
    case (.test, .cifar10):
      let source = try CIFAR10(folder: try root(), files: CIFAR10.testFiles)
      _ = try source.scan()
      return ImageSplit(source)
    case (.test, .synthetic):
      // Behind all that a training set can reach.
      return ImageSplit(Synthetic(seed: seed, first: 1 << 32, count: 512, side: data.side))
    }
  }

  private func root() throws -> String {
    guard let root = data.root else {
      throw Problem(
        .missingInput, "data", found: "it is not known where the images are",
        advice: "Name the folder of the CIFAR-10 batch files with --data FOLDER.")
    }
    return root
  }
}
