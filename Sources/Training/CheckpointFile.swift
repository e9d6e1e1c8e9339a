import Configurations
import Diagnostics
import Files

/// A checkpoint's file, of this format or of an earlier one, whose header has been read.
///
/// Metadata and names of tensors are those of the current format (see ``CheckpointMigration``).
struct CheckpointFile {
  /// The keys of the metadata that every checkpoint has or may have. ``DataFacts`` add their own.
  enum Key {
    static let format = "vqvae.format"
    static let model = "vqvae.model"
    static let configuration = "vqvae.config"
    static let step = "vqvae.step"
    static let generator = "vqvae.generator"
    static let epoch = "vqvae.epoch"
    static let epochPosition = "vqvae.epoch_position"
    static let best = "vqvae.best"
    static let validatedStep = "vqvae.validated_step"
  }

  static let firstMoment = "optimizer.first_moment."
  static let secondMoment = "optimizer.second_moment."

  /// A header with a configuration and a few thousand tensors is far smaller.
  private static let maximumHeader = 4 << 20

  let metadata: CheckpointMetadata
  private let file: SafetensorsFile
  /// The names in the file of tensors by their current names.
  private let names: [String: String]
  private let version: Int

  var path: String { metadata.path }

  /// Reads the header. No tensor is read.
  init(_ path: String) throws {
    file = try SafetensorsFile(path, maximumHeader: Self.maximumHeader)
    let found = CheckpointMetadata(path: path, values: file.metadata)
    version = try CheckpointMigration.version(of: found)
    metadata = CheckpointMetadata(
      path: path, values: CheckpointMigration.migrate(metadata: file.metadata, from: version))
    var names: [String: String] = [:]
    for name in file.entries.keys {
      let current = CheckpointMigration.migrate(tensor: name, from: version)
      guard names.updateValue(name, forKey: current) == nil else {
        throw Problem(.badData, path, found: "there are two tensors \(excerpt(current))")
      }
    }
    self.names = names
  }

  /// The configuration, with the defaults of fields that a checkpoint does not hold, such as paths.
  ///
  /// - Parameter overrides: `key=value`, applied to it.
  func configuration(
    overrides: [String] = [], runFolder: String? = nil, needsData: Bool = false
  ) throws -> Configuration {
    do {
      return try ConfigurationReader.read(
        yaml: try metadata.text(Key.configuration), name: Key.configuration, from: .program,
        renamedFields: CheckpointMigration.renamedFields(from: version), overrides: overrides,
        runFolder: runFolder, needsData: needsData)
    } catch let error as ConfigurationError where overrides.isEmpty {
      throw Problem(.badData, path, found: error.description)
    }
  }

  /// The names of all tensors.
  var tensors: Set<String> { Set(names.keys) }

  func has(_ tensor: String) -> Bool { names[tensor] != nil }

  /// The shape of a tensor as the file has it, and a way to read its elements; nil if there is no such tensor.
  func tensor(_ name: String) -> (shape: [Int], elements: () throws -> [Float])? {
    guard let stored = names[name], let entry = file.entries[stored] else { return nil }
    return (entry.shape, { try file.elements(stored) })
  }
}

/// The strings of a checkpoint. Every access is checked.
package struct CheckpointMetadata {
  package let path: String
  private let values: [String: String]

  init(path: String, values: [String: String]) {
    self.path = path
    self.values = values
  }

  /// A string that may be missing.
  package subscript(key: String) -> String? { values[key] }

  package func text(_ key: String) throws -> String {
    guard let value = values[key] else {
      throw Problem(
        .badData, path, found: "the metadata has no \(key)",
        expected: "a checkpoint that vqvae wrote")
    }
    return value
  }

  package func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int {
    guard let value = Int(try text(key)), range.contains(value) else {
      throw error(key, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  package func positive(_ key: String) throws -> Double {
    guard let value = Double(try text(key)), value.isNormal, value > 0 else {
      throw error(key, expected: "a positive number")
    }
    return value
  }

  /// The error that a string is invalid.
  package func error(_ key: String, expected: String) -> Problem {
    Problem(
      .badData, path, found: "\(key) is \"\(excerpt(values[key] ?? ""))\"", expected: expected)
  }
}
