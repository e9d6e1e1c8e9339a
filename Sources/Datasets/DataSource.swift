import Options
import Tensors

/// A source of images that a configuration can name, with its options.
///
/// A type that conforms is a file of its own, and a line in ``DataSources``.
package protocol DataSource: ImageSource, Kind where Options: DataOptions {
  /// The shape of the images, known before any is read.
  static func image(_ options: Options) -> ImageShape

  /// The number of images for training and validation, or nil if it depends on files.
  static func count(_ options: Options) -> Int?

  /// The bytes of image data that training keeps in memory.
  static func memory(_ options: Options) -> Int

  /// Opens the images.
  ///
  /// - Parameters:
  ///   - part: the images for training and validation, or those of the test.
  ///   - isReadOnce: whether each image is read only once, so that none has to be kept.
  init(_ options: Options, _ part: DataPart, seed: UInt64, isReadOnce: Bool) throws

  /// One pass over all images.
  ///
  /// - Returns: the moments over the pixels of the included images, and the fingerprint of all.
  func summary(including isIncluded: (Int) -> Bool) throws -> ImageSummary
}

/// A source has images to train on, of which some are held out, and others for a test.
package enum DataPart: Sendable {
  case training, test
}

/// Options of a data source.
package protocol DataOptions: FieldOptions {
  /// The fraction of the training images that is held out.
  var validation: Double { get set }
}

extension DataOptions {
  package static var validationField: Field<Self> {
    .number("validation", \.validation, 0..<1, "the fraction of training images held out")
  }
}
