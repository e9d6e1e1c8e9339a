import Diagnostics
import Options
import Tensors

/// The sources of images that a configuration can name. A new one is a file of its own and a line here.
package enum DataSources: Kinds {
  package static var all: [any DataSource.Type] {
    [
      CIFAR10.self,
      Synthetic.self,
    ]
  }

  package static func kind(_ entry: any DataSource.Type) -> any Kind.Type { entry }
  package static var initial: any DataSource.Type { Synthetic.self }
  package static var field: (name: String, meaning: String) {
    ("kind", "where the images come from")
  }
}

/// The section `data`: a source of images and its options.
package typealias DataSection = Section<DataSources>

extension Section<DataSources> {
  /// The folder of the images, or nil if it is not set or the kind has no such field.
  package var root: String? {
    get { if case .path(let path)? = self[field: "root"] { path } else { nil } }
    set { self[field: "root"] = newValue.map { .path($0) } }
  }

  private var validation: Double {
    func validation<Source: DataSource>(_ type: Source.Type) -> Double {
      options(of: type).validation
    }
    return validation(entry)
  }

  /// The shape of the images, known before any is read.
  package var image: ImageShape {
    func image<Source: DataSource>(_ type: Source.Type) -> ImageShape {
      Source.image(options(of: type))
    }
    return image(entry)
  }

  /// The number of training images if the options determine it, or nil if it depends on files.
  package var trainingImages: Int? {
    func count<Source: DataSource>(_ type: Source.Type) -> Int? {
      Source.count(options(of: type))
    }
    return count(entry).map { $0 - HeldOut(count: $0, fraction: validation).chosen }
  }

  /// The bytes of image data that training keeps in memory.
  package var memory: Int {
    func memory<Source: DataSource>(_ type: Source.Type) -> Int {
      Source.memory(options(of: type))
    }
    return memory(entry)
  }

  private func open(_ part: DataPart, seed: UInt64, isReadOnce: Bool) throws -> any DataSource {
    func open<Source: DataSource>(_ type: Source.Type) throws -> any DataSource {
      try Source(options(of: type), part, seed: seed, isReadOnce: isReadOnce)
    }
    return try open(entry)
  }

  /// Opens the training images, of which the validation split is held out.
  package func images(seed: UInt64) throws -> TrainingImages {
    let source = try open(.training, seed: seed, isReadOnce: false)
    let images = try TrainingImages(source, validation: validation) {
      try source.summary(including: $0)
    }
    guard images.train.count > 0 else {
      throw Problem(
        .badData, root ?? "data", found: "no image is left to train on", expected: "at least 1",
        advice: "data.validation (\(validation)) holds a part of the images out.")
    }
    guard images.variance > 0 else {
      throw Problem(
        .badData, root ?? "data",
        found: "all pixels of the \(images.train.count) training images are equal",
        expected: "images that differ")
    }
    return images
  }

  /// Opens one split for evaluation. Images are read or drawn when they are evaluated. Of the test split of
  /// CIFAR-10, all labels are checked first.
  package func split(_ name: SplitName, seed: UInt64) throws -> ImageSplit {
    let source = try open(name == .test ? .test : .training, seed: seed, isReadOnce: true)
    switch name {
    case .test: return ImageSplit(source)
    case .train: return ImageSplit(source, trainingWithout: validation)
    case .validation:
      let split = ImageSplit(source, heldOut: validation)
      guard split.count > 0 else {
        throw Problem(
          .badConfiguration, "data.validation", found: "no image is held out",
          advice: "Use --split test or --split train, or train with a fraction above 0.")
      }
      return split
    }
  }
}
