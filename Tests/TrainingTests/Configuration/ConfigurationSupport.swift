import Configurations
import Files
import Quantizers
import Testing

/// Reads a valid configuration. An empty text gives one with all defaults.
func read(_ yaml: String, _ overrides: [String] = []) throws -> Configuration {
  try ConfigurationReader.read(
    yaml: yaml.isEmpty ? "{}" : yaml, name: "c.yaml", overrides: overrides)
}

/// The faults of a configuration, one line each as the user sees them; empty if it is valid.
func faults(_ yaml: String, _ overrides: [String] = [], needsData: Bool = true) -> [String] {
  do {
    _ = try ConfigurationReader.read(
      yaml: yaml.isEmpty ? "{}" : yaml, name: "c.yaml", overrides: overrides, needsData: needsData)
    return []
  } catch let error as ConfigurationError {
    return error.faults.map { "\($0.place): \($0.message)" }
  } catch {
    return ["not a ConfigurationError: \(error)"]
  }
}

/// Expects exactly one fault, with its place and a part of its message.
func expectFault(
  _ yaml: String, _ place: String, _ part: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let found = faults(yaml)
  #expect(found.count == 1, "\(found)", sourceLocation: sourceLocation)
  let first = found.first ?? ""
  #expect(first.hasPrefix("c.yaml:\(place): "), "\(first)", sourceLocation: sourceLocation)
  #expect(first.contains(part), "\(first)", sourceLocation: sourceLocation)
}

/// YAML that sets one field, followed by a kind that has the field if the default kind does not.
func yaml(_ key: String, _ value: String) -> String {
  let parts = key.split(separator: ".")
  if parts.count == 1 { return "\(key): \(value)\n" }
  var section = "\(parts[0]):\n  \(parts[1]): \(value)\n"
  if ["restart_until", "restart_below"].contains(parts[1]) { section += "  restart_every: 1\n" }
  guard let field = Configuration.fields.first(where: { $0.name == key }),
    let owners = field.owners, !field.belongs(Configuration())
  else { return section }
  return section + "  \(owners.kindField.split(separator: ".")[1]): \(owners.kinds[0])\n"
}

/// An invalid text, the place of its fault, and a part of the message.
struct BadYAML: Sendable, CustomTestStringConvertible {
  let text: String
  let place: String
  let message: String

  init(_ text: String, _ place: String, _ message: String) {
    self.text = text
    self.place = place
    self.message = message
  }

  var testDescription: String { String(text.prefix(40).debugDescription.dropFirst().dropLast()) }
}

extension QuantizerSection {
  /// The options that all kinds with a codebook have.
  var codebook: CodebookOptions {
    kind == EMAKind.name ? options(of: EMAKind.self).codebook : options(of: VQKind.self).codebook
  }
}
