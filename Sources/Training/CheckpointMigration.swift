import Diagnostics

/// How a checkpoint of one format becomes one of the next. A renamed key, field or tensor is a line here, so
/// that no file is stranded.
struct CheckpointMigration: Sendable {
  /// Changes the metadata.
  let metadata: @Sendable (inout [String: String]) -> Void
  /// The new names of fields of the configuration by their old ones, such as `quantizer.decay`.
  let fields: [String: String]
  /// The new name of a tensor.
  let tensor: @Sendable (String) -> String

  /// From format 1 to 2, from 2 to 3, and so on.
  private static let all = [fromFormat1]

  /// The format that is written.
  static var currentFormat: Int { all.count + 1 }

  /// The format of a file, which this program can read.
  static func version(of metadata: CheckpointMetadata) throws -> Int {
    guard let version = Int(try metadata.text(CheckpointFile.Key.format)), version >= 1 else {
      throw metadata.error(CheckpointFile.Key.format, expected: "a whole number from 1")
    }
    guard version <= currentFormat else {
      throw Problem(
        .badData, metadata.path, found: "the checkpoint has format \(version)",
        expected: "at most format \(currentFormat), the newest that this program reads",
        advice: "A newer vqvae wrote it; install that version or a later one.")
    }
    return version
  }

  static func migrate(metadata: [String: String], from version: Int) -> [String: String] {
    var result = metadata
    for migration in all[(version - 1)...] { migration.metadata(&result) }
    return result
  }

  /// The new names of the fields that were renamed since a format. A run folder's `config.yaml` has no version:
  /// what was renamed since format 1 applies to it, since no old name is used again.
  static func renamedFields(from version: Int = 1) -> [String: String] {
    all[(version - 1)...].reduce(into: [:]) { result, migration in
      result = result.mapValues { migration.fields[$0] ?? $0 }
      result.merge(migration.fields) { earlier, _ in earlier }
    }
  }

  static func migrate(tensor name: String, from version: Int) -> String {
    all[(version - 1)...].reduce(name) { name, migration in migration.tensor(name) }
  }

  /// Format 2 names the type of the model, has channels in the image's shape, and has the averages of a
  /// codebook under the name of their quantizer: `quantizer.ema.size` instead of `ema.quantizer.size`.
  private static let fromFormat1 = CheckpointMigration(
    metadata: { metadata in
      metadata[CheckpointFile.Key.model] = "vqvae"
      metadata["vqvae.image_shape"] = metadata.removeValue(forKey: "vqvae.image").map { "\($0)x3" }
      metadata[CheckpointFile.Key.best] = metadata.removeValue(forKey: "vqvae.best_nmse")
    },
    fields: [:],
    tensor: { name in
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 3, parts[0] == "ema" else { return name }
      return "\(parts[1]).ema.\(parts[2])"
    })
}
