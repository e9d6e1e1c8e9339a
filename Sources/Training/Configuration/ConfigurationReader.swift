import Files
import VectorQuantization
import Yams

/// Reads a configuration from YAML and from `key=value` overrides, and collects every fault on the way.
package struct ConfigurationReader {
  /// Larger files are refused; a configuration has a few dozen lines.
  static let maximumSize = 64 * 1024

  private var configuration = Configuration()
  private var faults: [ConfigurationError.Fault] = []
  /// Where each field was set.
  private var places: [String: String] = [:]

  /// Reads a file, applies the overrides in order, and checks the whole.
  package static func read(file: String, overrides: [String] = []) throws -> Configuration {
    try read(
      yaml: try readText(file, limit: maximumSize, advice: "--config takes a YAML file."),
      name: file, overrides: overrides)
  }

  /// - Parameters:
  ///   - name: what stands before line and column in a message.
  ///   - needsData: whether it has to say where its images are.
  package static func read(
    yaml: String, name: String, overrides: [String] = [], needsData: Bool = true
  ) throws -> Configuration {
    var reader = ConfigurationReader()
    reader.apply(yaml: yaml, name: name)
    for override in overrides { reader.apply(override: override) }
    reader.check(fallback: name, needsData: needsData)
    guard reader.faults.isEmpty else { throw ConfigurationError(reader.faults) }
    return reader.configuration.resolved(fileName: name)
  }

  // MARK: YAML

  private mutating func apply(yaml: String, name: String) {
    if let mark = YAMLAliases.firstMark(in: yaml) {
      report("\(name):\(mark.line):\(mark.column)", "anchors and aliases are not supported")
      return
    }
    do {
      guard let root = try Yams.compose(yaml: yaml) else { return }
      guard let mapping = root.mapping else {
        report(place(name, root), "expected a mapping of keys to values at the top level")
        return
      }
      apply(mapping, prefix: "", name: name)
    } catch let error as YamlError {
      report(error, name: name, yaml: yaml)
    } catch {
      report(name, "\(error)")
    }
  }

  private mutating func apply(_ mapping: Node.Mapping, prefix: String, name: String) {
    for (keyNode, value) in mapping {
      guard let key = keyNode.scalar?.string else {
        report(place(name, keyNode), "a key has to be a word")
        continue
      }
      let path = prefix + key
      let isSection = ConfigurationField.all.contains { $0.key.hasPrefix(path + ".") }
      if let section = value.mapping, isSection {
        apply(section, prefix: path + ".", name: name)
      } else if isSection {
        report(place(name, value), "\(path): expected a section of indented keys")
      } else if let field = ConfigurationField.all.first(where: { $0.key == path }) {
        set(field, value.configurationScalar, found: value.summary, place: place(name, value))
      } else {
        reportUnknown(path, place: place(name, keyNode))
      }
    }
  }

  private mutating func report(_ error: YamlError, name: String, yaml: String) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      report("\(name):\(mark.line):\(mark.column)", problem)
    case .duplicatedKeysInMapping(let keys, let context):
      let words = keys.map { "\"\($0)\"" }.joined(separator: ", ")
      report(
        "\(name):\(context.mark.line):\(context.mark.column)", "the key \(words) occurs twice")
    case .reader(let problem, let offset, _, _):
      let before = yaml.prefix(offset ?? 0)
      let line = before.count(where: \.isNewline) + 1
      let column = before.reversed().prefix { !$0.isNewline }.count + 1
      report("\(name):\(line):\(column)", problem)
    default:
      report("\(name):1:1", "this is not YAML: \(error)")
    }
  }

  // MARK: Overrides

  private mutating func apply(override: String) {
    let place = "--set \(override)"
    guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
      report(place, "expected key=value, such as training.steps=100")
      return
    }
    let key = String(override[..<equals])
    let text = String(override[override.index(after: equals)...])
    guard let field = ConfigurationField.all.first(where: { $0.key == key }) else {
      reportUnknown(key, place: place)
      return
    }
    set(field, ConfigurationScalar(text: text, isPlain: true), found: "\"\(text)\"", place: place)
  }

  // MARK: Fields

  private mutating func set(
    _ field: ConfigurationField, _ scalar: ConfigurationScalar?, found: String, place: String
  ) {
    places[field.key] = place
    guard let scalar, field.read(scalar, &configuration) else {
      report(place, "\(field.key): expected \(field.expected), found \(found)")
      return
    }
  }

  private mutating func reportUnknown(_ key: String, place: String) {
    let keys = ConfigurationField.all.map(\.key)
    // A key in the wrong section is found by its last word.
    let last = key.split(separator: ".").last.map(String.init) ?? key
    let guess =
      suggestion(for: key, among: keys) ?? keys.first { $0.hasSuffix("." + last) }
    report(place, "unknown key \(key)" + (guess.map { "; did you mean \($0)?" } ?? ""))
  }

  /// What no field can check alone.
  private mutating func check(fallback: String, needsData: Bool) {
    func place(_ key: String) -> String { places[key] ?? "\(fallback):1:1" }
    if needsData, configuration.data.kind == .cifar10, configuration.data.root == nil {
      report(
        place("data.kind"),
        "data.root: expected the folder of the batch files, which data.kind cifar10 needs")
    }
    if configuration.model.hidden % 2 != 0 {
      report(place("model.hidden"), "model.hidden: expected an even number")
    }
  }

  private mutating func report(_ place: String, _ message: String) {
    faults.append(.init(place: place, message: message))
  }

  private func place(_ name: String, _ node: Node) -> String {
    "\(name):\(node.mark?.line ?? 1):\(node.mark?.column ?? 1)"
  }
}

extension Node {
  fileprivate var configurationScalar: ConfigurationScalar? {
    scalar.map { ConfigurationScalar(text: $0.string, isPlain: $0.style == .plain) }
  }

  /// The node in an error message.
  fileprivate var summary: String {
    if let scalar { return "\"\(scalar.string)\"" }
    return mapping != nil ? "a section" : "a list"
  }
}

/// Finds anchors and aliases, which the parser would expand: a few lines of them make a document of
/// any size ("billion laughs").
enum YAMLAliases {
  static func firstMark(in yaml: String) -> (line: Int, column: Int)? {
    for (number, line) in yaml.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      var quote: Character?
      var previous: Character = " "
      for (column, character) in line.enumerated() {
        defer { previous = character }
        if let open = quote {
          if character == open { quote = nil }
        } else if character == "#", previous == " " || previous == "\t" {
          break
        } else if character == "\"" || character == "'" {
          quote = character
        } else if character == "&" || character == "*", " \t[{,:-?".contains(previous) {
          return (number + 1, column + 1)
        }
      }
    }
    return nil
  }
}
