import Autograd
import Diagnostics
import Runtime

/// A lower bound of the memory that something needs, compared with what is available before anything is made.
package struct MemoryNeed {
  /// Bytes of parameters, their moments and their gradients.
  private let parameters: Int
  /// Bytes of images that are kept in memory.
  private let images: Int
  private let doing: String

  /// What training needs: each trained number has a value, two moments, and a gradient in a shard and in the
  /// sum over the shards. Activations are not counted.
  package init(training parameters: [Parameter], images: Int) {
    self.parameters = Self.bytes(parameters) { $0.role == .trained ? 5 : 1 }
    self.images = images
    doing = "training"
  }

  /// What the tensors of a checkpoint need.
  init(reading parameters: [Parameter], for use: CheckpointUse) {
    self.parameters = Self.bytes(parameters) { use == .training && $0.role == .trained ? 3 : 1 }
    images = 0
    doing = "the model"
  }

  private static func bytes(_ parameters: [Parameter], copies: (Parameter) -> Int) -> Int {
    parameters.reduce(0) { $0 + $1.shape.count * copies($1) * MemoryLayout<Float>.size }
  }

  /// Throws ``Problem`` if less is available.
  package func check() throws {
    let available = AvailableMemory.bytes
    guard parameters + images > available else { return }
    let parts =
      images > 0 ? " (parameters \(Self.text(parameters)), images \(Self.text(images)))" : ""
    throw Problem(
      .outOfMemory, "memory",
      found: "\(doing) needs at least \(Self.text(parameters + images))\(parts)",
      expected: "at most \(Self.text(available)), which is available",
      advice:
        "Parameters grow with the widths of the model and with the size of a codebook, "
        + "quantizer.codebook_size × quantizer.dimension"
        + (images > 0 ? ", images with data.images × data.side²." : "."))
  }

  /// Such as `1.5 GB`.
  private static func text(_ bytes: Int) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")]
    guard let (size, name) = units.first(where: { bytes >= $0.0 }) else { return "\(bytes) bytes" }
    return "\(bytes / size).\(bytes % size * 10 / size) \(name)"
  }
}
