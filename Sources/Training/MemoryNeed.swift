import Autograd
import Configurations
import Datasets
import Diagnostics
import Files
import Runtime
import VectorQuantization

/// The memory that something takes at least, to be compared with what there is before anything is made.
struct MemoryNeed {
  /// Bytes of parameters, their moments and their gradients.
  private let parameters: Int
  /// Bytes of images that are kept.
  private let images: Int
  private let doing: String

  /// What training takes at least: each number that is trained has a value, two moments, and its gradient
  /// in a shard and in the sum over the shards. Activations are left out.
  ///
  /// Throws where the architecture does not take the images.
  init(training configuration: Configuration) throws {
    let (height, width) = configuration.data.imageSize
    try configuration.check(imageHeight: height, imageWidth: width)
    let parameters = configuration.model(imageHeight: height, imageWidth: width).parameters
    self.parameters = Self.bytes(parameters) { $0.role == .trained ? 5 : 1 }
    images = configuration.data.memory
    doing = "training"
  }

  /// What the tensors of a checkpoint take.
  init(reading parameters: [Parameter], for use: Checkpoint.Use) {
    self.parameters = Self.bytes(parameters) { use == .training && $0.role == .trained ? 3 : 1 }
    images = 0
    doing = "the model"
  }

  private static func bytes(_ parameters: [Parameter], copies: (Parameter) -> Int) -> Int {
    parameters.reduce(0) { $0 + $1.shape.count * copies($1) * MemoryLayout<Float>.size }
  }

  /// Throws where there is less.
  func check() throws {
    let available = AvailableMemory.bytes
    guard parameters + images > available else { return }
    let parts =
      images > 0 ? " (parameters \(Self.text(parameters)), images \(Self.text(images)))" : ""
    throw Problem(
      .outOfMemory, "memory",
      found: "\(doing) needs at least \(Self.text(parameters + images))\(parts)",
      expected: "at most \(Self.text(available)), which is available",
      advice:
        "Parameters grow with quantizer.codebook_size × quantizer.dimension and with the widths "
        + "of the model" + (images > 0 ? ", images with data.images × data.side²." : "."))
  }

  /// Such as `1.5 GB`.
  private static func text(_ bytes: Int) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")]
    guard let (size, name) = units.first(where: { bytes >= $0.0 }) else { return "\(bytes) bytes" }
    return "\(bytes / size).\(bytes % size * 10 / size) \(name)"
  }
}
