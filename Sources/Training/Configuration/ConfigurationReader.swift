import Files
import VectorQuantization
import Yams

/// Reads a configuration from YAML and from `key=value` overrides, and collects every fault on the way.
package struct ConfigurationReader {
  /// Larger files are refused; a configuration has a few dozen lines.
  static let maximumSize = 64 * 1024

  /// Of a synthetic set, at three bytes each: room for a million images of 32×32, or 4096 of 512×512.
  private static let maximumPixels = 1 << 30

  private static let noAnchors = "anchors and aliases are not supported"

  private var configuration = Configuration()
  private var faults: [(place: Place, message: String)] = []
  /// Where each field was set.
  private var places: [String: Place] = [:]
  /// Fields whose values were wrong; what depends on them cannot be judged.
  private var refused: Set<String> = []

  /// Where something stands: in the file, or behind it in a flag.
  private struct Place {
    let text: String
    let line: Int
    let column: Int

    init(_ file: String, line: Int, column: Int) {
      text = "\(file):\(line):\(column)"
      (self.line, self.column) = (line, column)
    }

    init(flag: String) {
      text = flag
      (line, column) = (.max, .max)
    }
  }

  /// Reads a file, applies the overrides in order, and checks the whole.
  package static func read(file: String, overrides: [String] = []) throws -> Configuration {
    let yaml: String
    do {
      yaml = try readText(file, limit: maximumSize, advice: "--config takes a YAML file.")
    } catch let problem as Problem where problem.status == .badData {
      throw Problem(
        .badConfiguration, problem.subject, found: problem.found, expected: problem.expected,
        advice: problem.advice)
    }
    // Some editors begin a text with a byte order mark.
    let text =
      yaml.unicodeScalars.first == "\u{FEFF}" ? String(yaml.unicodeScalars.dropFirst()) : yaml
    return try read(yaml: text, name: file, overrides: overrides)
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
    guard reader.faults.isEmpty else { throw reader.error }
    return reader.configuration.resolved(fileName: name)
  }

  // MARK: YAML

  private mutating func apply(yaml: String, name: String) {
    if let mark = YAMLAliases.firstMark(in: yaml) {
      report(Place(name, line: mark.line, column: mark.column), Self.noAnchors)
      return
    }
    do {
      // Nodes refer weakly to their anchors, which the parser owns.
      let parser = try Yams.Parser(yaml: yaml)
      defer { withExtendedLifetime(parser) {} }
      guard let root = try parser.singleRoot() else { return }
      if let anchored = root.firstAnchored {
        report(place(name, anchored), Self.noAnchors)
        return
      }
      if root.configurationValue(isList: false)?.isNull == true { return }
      guard let mapping = root.mapping else {
        report(place(name, root), "expected a mapping of keys to values at the top level")
        return
      }
      apply(mapping, prefix: "", name: name)
    } catch let error as YamlError {
      report(error, name: name, yaml: yaml)
    } catch {
      report(Place(name, line: 1, column: 1), "\(error)")
    }
  }

  private mutating func apply(_ mapping: Node.Mapping, prefix: String, name: String) {
    for (keyNode, value) in mapping {
      guard let key = keyNode.scalar?.string else {
        report(place(name, keyNode), "a key has to be a word")
        continue
      }
      let path = prefix + key
      if key.contains(".") {
        reportUnknown(path, place: place(name, keyNode))
        continue
      }
      let isSection = ConfigurationField.all.contains { $0.key.hasPrefix(path + ".") }
      if let section = value.mapping, isSection {
        apply(section, prefix: path + ".", name: name)
      } else if isSection {
        report(place(name, value), "\(path): expected a section of indented keys")
      } else if let field = ConfigurationField.all.first(where: { $0.key == path }) {
        set(
          field, value.configurationValue(isList: field.isList),
          found: value.summary(isList: field.isList), place: place(name, value))
      } else {
        reportUnknown(path, place: place(name, keyNode))
      }
    }
  }

  private mutating func report(_ error: YamlError, name: String, yaml: String) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      report(Place(name, line: mark.line, column: mark.column), Self.plain(problem))
    case .duplicatedKeysInMapping(let keys, let context):
      let words = keys.map { "\"\($0)\"" }.joined(separator: ", ")
      report(
        Place(name, line: context.mark.line, column: context.mark.column),
        "the key \(words) occurs twice")
    case .reader(let problem, let offset, _, _):
      let before = yaml.prefix(offset ?? 0)
      let line = before.count(where: \.isNewline) + 1
      let column = before.reversed().prefix { !$0.isNewline }.count + 1
      report(Place(name, line: line, column: column), problem)
    default:
      report(Place(name, line: 1, column: 1), "this is not YAML: \(error)")
    }
  }

  /// The parser's words, where a user has something to do with them.
  private static func plain(_ problem: String) -> String {
    switch problem {
    case "found undefined alias": noAnchors
    case "but found another document": "expected one document, found another document"
    case _ where problem.hasPrefix("Maximum nesting level"): "the nesting is too deep"
    default: problem
    }
  }

  // MARK: Overrides

  private mutating func apply(override: String) {
    let place = Place(flag: "--set \(override)")
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
    set(
      field,
      field.isList
        ? ConfigurationValue(flagList: text)
        : ConfigurationValue(text: text, isPlain: true, canBeNull: false),
      found: "\"\(text)\"", place: place)
  }

  // MARK: Fields

  private mutating func set(
    _ field: ConfigurationField, _ value: ConfigurationValue?, found: String, place: Place
  ) {
    places[field.key] = place
    refused.remove(field.key)
    guard let value, field.read(value, &configuration) else {
      refused.insert(field.key)
      report(place, "\(field.key): expected \(field.expected), found \(found)")
      return
    }
  }

  private mutating func reportUnknown(_ key: String, place: Place) {
    let keys = ConfigurationField.all.map(\.key)
    let sections = Set(keys.compactMap { $0.contains(".") ? String($0.prefix { $0 != "." }) : nil })
    // A key in the wrong section is found by its last word.
    let last = key.split(separator: ".").last.map(String.init) ?? key
    let guess =
      suggestion(for: key, among: keys + sections.sorted())
      ?? keys.first { $0.hasSuffix("." + last) }
    report(place, "unknown key \(key)" + (guess.map { "; did you mean \($0)?" } ?? ""))
  }

  /// What no field can check alone.
  private mutating func check(fallback: String, needsData: Bool) {
    func place(_ key: String) -> Place {
      places[key] ?? Place(fallback, line: 1, column: 1)
    }
    if needsData, configuration.data.kind == .cifar10, configuration.data.root == nil {
      report(
        place("data.kind"),
        "data.root: expected the folder of the batch files, which data.kind cifar10 needs")
    }
    for field in ConfigurationField.all where !field.belongs(to: configuration) {
      guard let place = places[field.key] else { continue }
      if let architectures = field.architectures, !refused.contains("model.architecture") {
        report(
          place,
          "\(field.key): belongs to \(architectures.joined(separator: " and ")), and "
            + "model.architecture is \(configuration.model.architecture.rawValue); leave it out")
      } else if let kind = field.dataKind, !refused.contains("data.kind") {
        report(
          place,
          "\(field.key): belongs to data.kind \(kind.rawValue), and data.kind is "
            + "\(configuration.data.kind.rawValue); leave it out")
      }
    }
    let pixels = configuration.data.images * configuration.data.side * configuration.data.side
    if configuration.data.kind == .synthetic, pixels > Self.maximumPixels {
      report(
        place(places["data.side"] == nil ? "data.images" : "data.side"),
        "data.images times data.side squared: expected at most \(Self.maximumPixels) pixels, which are "
          + "kept in memory, found \(pixels)")
    }
    if let fault = configuration.model.fault,
      refused.isDisjoint(with: (["architecture"] + fault.fields).map { "model.\($0)" })
    {
      // It stands at the first of its fields that was set; one is, for defaults have no faults.
      let keys = fault.fields.map { "model.\($0)" }
      let key = keys.first { places[$0] != nil } ?? keys[0]
      report(place(key), "\(key): \(fault.message)")
    }
    if configuration.quantizer.kind == .ema, configuration.quantizer.weighting == .both {
      report(
        place("quantizer.weighting"),
        "quantizer.weighting: expected paper, for with quantizer.kind ema the loss has no codebook term"
      )
    }
    for (key, message) in configuration.optimizerFaults { report(place(key), "\(key): \(message)") }
  }

  private mutating func report(_ place: Place, _ message: String) {
    faults.append((place, message))
  }

  /// All faults in the order of the file, those of flags behind them.
  private var error: ConfigurationError {
    let ordered = faults.enumerated().sorted {
      ($0.element.place.line, $0.element.place.column, $0.offset)
        < ($1.element.place.line, $1.element.place.column, $1.offset)
    }
    return ConfigurationError(
      ordered.map { .init(place: $0.element.place.text, message: $0.element.message) })
  }

  private func place(_ name: String, _ node: Node) -> Place {
    Place(name, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
  }
}

extension Node {
  /// The node as a scalar, or as a list of scalars; nil where it is something else.
  fileprivate func configurationValue(isList: Bool) -> ConfigurationValue? {
    if isList {
      guard let sequence else { return nil }
      let items = sequence.compactMap { $0.configurationValue(isList: false) }
      return items.count == sequence.count ? ConfigurationValue(items: items) : nil
    }
    return scalar.map {
      ConfigurationValue(text: $0.string, isPlain: $0.style == .plain, canBeNull: true)
    }
  }

  /// The first node with an anchor, in the order of the text.
  fileprivate var firstAnchored: Node? {
    if anchor != nil { return self }
    switch self {
    case .mapping(let mapping):
      for (key, value) in mapping {
        if let found = key.firstAnchored ?? value.firstAnchored { return found }
      }
    case .sequence(let sequence):
      for node in sequence { if let found = node.firstAnchored { return found } }
    case .scalar, .alias: break
    }
    return nil
  }

  /// The node in an error message; that of a field that takes a list with its elements.
  fileprivate func summary(isList: Bool) -> String {
    if let value = scalar?.string ?? (isList ? configurationValue(isList: true)?.text : nil) {
      return "\"\(value)\""
    }
    return mapping != nil ? "a section" : "a list"
  }
}

/// Finds what the parser would expand: a few lines of aliases make a document of any size ("billion
/// laughs").
///
/// An alias stands for something only if its anchor, `&` and the same name, comes before it. So a text
/// without such a pair is safe to parse, wherever quotations and comments begin and end.
enum YAMLAliases {
  static func firstMark(in yaml: String) -> (line: Int, column: Int)? {
    var anchors: Set<String> = []
    var (line, column) = (1, 1)
    var rest = Substring(yaml).unicodeScalars
    while let scalar = rest.popFirst() {
      if scalar == "&" || scalar == "*" {
        let name = String(rest.prefix(while: isName))
        if name.isEmpty {
          // A lone sign names nothing.
        } else if scalar == "&" {
          anchors.insert(name)
        } else if anchors.contains(name) {
          return (line, column)
        }
      }
      let isLineEnd = scalar == "\n" || (scalar == "\r" && rest.first != "\n")
      (line, column) = isLineEnd ? (line + 1, 1) : (line, column + 1)
    }
    return nil
  }

  /// What libyaml takes for a part of an anchor's name.
  private static func isName(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
      || scalar == "_" || scalar == "-"
  }
}
