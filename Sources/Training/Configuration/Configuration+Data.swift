import Datasets
import Diagnostics
import Files

extension Configuration {
  /// The height and width of the images, which are known before any is read.
  var imageSize: (height: Int, width: Int) {
    switch data.kind {
    case .cifar10: (32, 32)
    case .synthetic: (data.side, data.side)
    }
  }

  /// How many images there are to train on where the configuration alone decides it, or nil if files do.
  var trainingImages: Int? {
    switch data.kind {
    case .cifar10: nil
    case .synthetic:
      data.images - HeldOut(count: data.images, fraction: data.validation).chosen
    }
  }

  /// The bytes of images that training keeps in memory.
  var imageMemory: Int {
    switch data.kind {
    case .cifar10: 0
    case .synthetic: Synthetic.memory(count: data.images, side: data.side)
    }
  }

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
      dataset = try Dataset(source, validation: data.validation) { source.summary(including: $0) }
    }
    guard dataset.train.count > 0 else {
      throw Problem(
        .badData, data.root ?? "data", found: "no image is left to train on",
        expected: "at least 1",
        advice: "data.validation (\(data.validation)) holds a part of the images out.")
    }
    guard dataset.variance > 0 else {
      throw Problem(
        .badData, data.root ?? "data",
        found: "all pixels of the \(dataset.train.count) training images are equal",
        expected: "images that differ")
    }
    return dataset
  }

  /// Opens one split for evaluation. Only what is evaluated is read or drawn, when it is asked for.
  package func split(_ name: SplitName) throws -> ImageSplit {
    let source: any ImageSource
    switch (name, data.kind) {
    case (.test, .cifar10):
      let source = try CIFAR10(folder: try root(), files: CIFAR10.testFiles)
      try source.scan()
      return ImageSplit(source)
    case (.test, .synthetic):
      // Behind all that a training set can reach.
      return ImageSplit(
        Synthetic(seed: seed, first: 1 << 32, count: 512, side: data.side, drawsOnDemand: true))
    case (_, .cifar10):
      source = try CIFAR10(folder: try root(), files: CIFAR10.trainingFiles)
    case (_, .synthetic):
      source = Synthetic(
        seed: seed, first: 0, count: data.images, side: data.side, drawsOnDemand: true)
    }
    if name == .train { return ImageSplit(source, trainingWithout: data.validation) }
    let split = ImageSplit(source, heldOut: data.validation)
    guard split.count > 0 else {
      throw Problem(
        .badConfiguration, "data.validation", found: "no image is held out",
        advice: "Use --split test or --split train, or train with a fraction above 0.")
    }
    return split
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
