import Diagnostics
import Files
import Options

/// Reads a configuration from YAML and from `key=value` overrides, and collects every fault on the way.
package struct ConfigurationReader {
  /// Larger files are refused; a configuration has a few dozen lines.
  static let maximumSize = 64 * 1024

  private static let empty =
    "the configuration is empty; expected fields, such as seed: 1 (configs/demo.yaml is a whole one, and "
    + "docs/configuration.md has the list)"

  /// Who wrote a text.
  package enum Origin: Sendable {
    /// A user: a field that plays no part is an error.
    case user
    /// The program, into a run folder or a checkpoint. Programs of checkpoint format 1 at first wrote every
    /// field of `data` and `quantizer`, whatever the kind; those of other kinds are left out.
    case program
  }

  private let origin: Origin
  private var configuration = Configuration()
  private var faults: [(place: Place, message: String)] = []
  /// Where each field was set.
  private var places: [String: Place] = [:]
  /// Fields whose values were wrong; what depends on them cannot be judged.
  private var refused: Set<String> = []
  /// Fields whose values were taken away: they play no part, and need none.
  private var unset: Set<String> = []
  /// The kind of each section behind the file and before the flags, by the field that names it; nil if
  /// its value was wrong.
  private var kindsOfFile: [String: String?] = [:]
  /// Whether the text could be read to its end; if not, what it does not say cannot be judged.
  private var isReadable = true
  /// How many unknown keys had a guess looked up.
  private var guesses = 0

  private init(_ origin: Origin) { self.origin = origin }

  /// Where a value is set: in the file, or behind it in a flag.
  private struct Place {
    let text: String
    let line: Int
    let column: Int

    var isInFile: Bool { line < .max }

    init(_ file: String, line: Int, column: Int) {
      text = "\(file):\(line):\(column)"
      (self.line, self.column) = (line, column)
    }

    init(_ file: String, _ mark: YAMLMark) {
      self.init(file, line: mark.line, column: mark.column)
    }

    init(flag: String) {
      text = flag
      (line, column) = (.max, .max)
    }
  }

  /// Reads a file, a pipe or, as `-`, standard input, applies the overrides in order, and checks the whole.
  ///
  /// - Parameters:
  ///   - runFolder: what takes the place of `output.folder`, whatever the file and the overrides say.
  ///   - needsRunFolder: whether a run folder has to be known, which a pipe's name does not give.
  package static func read(
    file: String, from origin: Origin = .user, overrides: [String] = [], runFolder: String? = nil,
    needsRunFolder: Bool = true
  ) throws -> Configuration {
    let input: TextInput
    do {
      input = try readTextOrPipe(
        file, limit: maximumSize,
        advice: "--config takes a YAML file, a pipe, or - for standard input.")
    } catch let problem as Problem where problem.status == .badData {
      throw Problem(
        .badConfiguration, problem.subject, found: problem.found, expected: problem.expected,
        advice: problem.advice)
    }
    return try read(
      yaml: input.text, name: input.name, from: origin, overrides: overrides, runFolder: runFolder,
      needsRunFolder: needsRunFolder && !input.isNamedFile)
  }

  /// - Parameters:
  ///   - name: what stands before line and column in a message.
  ///   - needsData: whether it is whole, and not what a checkpoint keeps: then it has to say where its
  ///     images are.
  ///   - needsRunFolder: whether it has to name the run folder, since `name` cannot.
  package static func read(
    yaml: String, name: String, from origin: Origin = .user, overrides: [String] = [],
    runFolder: String? = nil, needsData: Bool = true, needsRunFolder: Bool = false
  ) throws -> Configuration {
    var reader = ConfigurationReader(origin)
    reader.apply(yaml: yaml, name: name)
    reader.rememberKinds()
    for override in overrides { reader.apply(override: override) }
    if let runFolder { reader.apply(runFolder: runFolder) }
    if reader.isReadable {
      reader.check(fallback: name, needsData: needsData, needsRunFolder: needsRunFolder)
    }
    guard reader.faults.isEmpty else { throw reader.error }
    return reader.configuration.completed(fileName: name)
  }

  // MARK: YAML

  private mutating func apply(yaml: String, name: String) {
    let start = Place(name, line: 1, column: 1)
    isReadable = false
    guard yaml.utf8.count <= Self.maximumSize else {
      report(
        start,
        "the configuration has \(yaml.utf8.count) bytes; expected at most \(Self.maximumSize)")
      return
    }
    let tree = YAMLTree(yaml)
    for fault in tree.faults { report(Place(name, fault.mark), fault.message) }
    switch tree.root?.content {
    case .mapping(let pairs):
      isReadable = true
      apply(pairs, prefix: "", name: name)
    case _ where !tree.faults.isEmpty: break
    case nil:
      report(start, Self.empty)
    case .scalar(let text, let isPlain)
    where ConfigurationValue(text: text, isPlain: isPlain).isNull:
      report(start, Self.empty)
    case .scalar, .sequence, .alias:
      report(
        Place(name, tree.root?.mark ?? YAMLMark(line: 1, column: 1)),
        "expected a mapping of keys to values at the top level")
    }
  }

  private mutating func apply(
    _ pairs: [(key: YAMLNode, value: YAMLNode)], prefix: String, name: String
  ) {
    var lines: [String: Int] = [:]
    for (keyNode, value) in pairs {
      let place = Place(name, keyNode.mark)
      // An alias is reported already.
      if case .alias = keyNode.content { continue }
      guard case .scalar(let key, _) = keyNode.content else {
        report(place, "a key has to be a word")
        continue
      }
      if let line = lines[key] {
        report(
          place, "the key \(excerpt(prefix + key)) occurs twice; it is in line \(line) already")
      } else {
        lines[key] = keyNode.mark.line
      }
      let path = prefix + key
      if key.contains(".") {
        reportUnknown(path, place: place, isInFile: true)
      } else if Self.sections.contains(path) {
        applySection(value, path, name: name)
      } else if let field = Self.fields[path] {
        set(field, value, place: Place(name, value.mark))
      } else {
        reportUnknown(path, place: place, isInFile: true)
        // Of a mistyped section our own fields are right.
        let isMistyped = suggestion(for: path, among: Array(Self.sections)) != nil
        reportHints(in: value, prefix: excerpt(path) + ".", name: name, withOurs: !isMistyped)
      }
    }
  }

  private mutating func applySection(_ node: YAMLNode, _ key: String, name: String) {
    switch node.content {
    case .alias: break
    case .mapping(let pairs): apply(pairs, prefix: key + ".", name: name)
    case .scalar(let text, let isPlain)
    where ConfigurationValue(text: text, isPlain: isPlain).isNull:
      report(
        Place(name, node.mark),
        "\(key): expected a section of indented keys, found none; leave \(key) out")
    case .scalar, .sequence:
      report(Place(name, node.mark), "\(key): expected a section of indented keys")
    }
  }

  /// In a section that is not ours, which a configuration of another program has, what is called
  /// otherwise here.
  ///
  /// - Parameter withOurs: whether a field of ours in it is reported as well.
  private mutating func reportHints(
    in node: YAMLNode, prefix: String, name: String, withOurs: Bool
  ) {
    guard case .mapping(let pairs) = node.content else { return }
    for case (let keyNode, let value) in pairs {
      guard case .scalar(let key, _) = keyNode.content else { continue }
      if let hint = withOurs ? hint(for: key) : FieldHint.find(key)?.text {
        report(Place(name, keyNode.mark), "unknown key \(excerpt(prefix + key))" + hint)
      }
      reportHints(
        in: value, prefix: excerpt(prefix + key) + ".", name: name, withOurs: withOurs)
    }
  }

  private mutating func set(_ field: Field<Configuration>, _ node: YAMLNode, place: Place) {
    switch node.content {
    case .scalar(let text, let isPlain):
      set(field, ConfigurationValue(text: text, isPlain: isPlain), place: place)
    case .sequence(let items) where field.domain.isList:
      let values = items.compactMap { item in
        if case .scalar(let text, let isPlain) = item.content {
          ConfigurationValue(text: text, isPlain: isPlain)
        } else {
          nil
        }
      }
      if values.count == items.count {
        set(field, ConfigurationValue(items: values), place: place)
      } else {
        refuse(field, found: "a list", place: place)
      }
    case .sequence: refuse(field, found: "a list", place: place)
    case .mapping: refuse(field, found: "a section", place: place)
    case .alias: refused.insert(field.name)
    }
  }

  // MARK: Overrides

  private mutating func apply(override: String) {
    let place = Place(flag: "--set \(excerpt(override, limit: 120))")
    guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
      report(place, "expected key=value, such as training.steps=100")
      return
    }
    let key = String(override[..<equals])
    let text = String(override[override.index(after: equals)...])
    guard let field = Self.fields[key] else {
      reportUnknown(key, place: place, isInFile: false)
      return
    }
    let value = ConfigurationValue(text: text, isPlain: true)
    set(
      field, field.domain.isList && !value.isNull ? ConfigurationValue(flagList: text) : value,
      place: place)
  }

  /// A path is taken as it is, that of YAML's null too.
  private mutating func apply(runFolder: String) {
    guard let field = Self.fields["output.folder"] else { preconditionFailure("no output.folder") }
    set(
      field, ConfigurationValue(text: runFolder, isPlain: false),
      place: Place(flag: "--run \(excerpt(runFolder))"))
  }

  // MARK: Fields

  private static let fields = Dictionary(
    uniqueKeysWithValues: Configuration.fields.map { ($0.name, $0) })

  private static let sections = Set(
    Configuration.fields.compactMap { field in
      field.name.contains(".") ? String(field.name.prefix { $0 != "." }) : nil
    })

  private mutating func set(
    _ field: Field<Configuration>, _ value: ConfigurationValue, place: Place
  ) {
    var value = value
    places[field.name] = place
    refused.remove(field.name)
    unset.remove(field.name)
    if value.isNull {
      if field.isOptional {
        field.set(nil, &configuration)
        unset.insert(field.name)
      } else {
        refused.insert(field.name)
        let initial = field.initial.map { ", \($0.text)" } ?? ""
        report(
          place,
          "\(field.name): the field has to have a value, found \(value.shown); expected "
            + "\(field.domain.expected); leave the field out for its default\(initial)")
      }
      return
    }
    if field.domain == .path {
      do {
        value = ConfigurationValue(text: try expandedPath(value.text), isPlain: false)
      } catch {
        refused.insert(field.name)
        let reason = (error as? Problem)?.found ?? "\(error)"
        report(
          place,
          "\(field.name): expected a path that is written out, found \(value.shown): \(reason)")
        return
      }
    }
    if let value = field.domain.value(of: value) { return field.set(value, &configuration) }
    // Whether it is the quotation marks alone that are wrong.
    let isRight = field.domain.value(of: value.unquoted) != nil
    refuse(
      field, found: value.shown + (isRight ? "; write \(value.unquoted.shown)" : ""), place: place)
  }

  private mutating func refuse(_ field: Field<Configuration>, found: String, place: Place) {
    places[field.name] = place
    refused.insert(field.name)
    report(place, "\(field.name): expected \(field.domain.expected), found \(found)")
  }

  private mutating func reportUnknown(_ key: String, place: Place, isInFile: Bool) {
    if isInFile, Self.fields[key] != nil, let dot = key.firstIndex(of: ".") {
      report(
        place,
        "unknown key \(key); in a file, \(key[key.index(after: dot)...]) is a key of the section "
          + "\(key[..<dot])")
      return
    }
    report(place, "unknown key \(excerpt(key))\(guess(for: key))")
  }

  /// What was probably meant, to follow an unknown key.
  private mutating func guess(for key: String) -> String {
    // To compare with all fields is slow, and what is not shown needs no guess.
    guesses += 1
    guard guesses <= ConfigurationError.maximumListed else { return "" }
    if let hint = hint(for: key) { return hint }
    let keys = Configuration.fields.map(\.name)
    // Within a section no other section is meant.
    let candidates = keys + (key.contains(".") ? [] : Self.sections.sorted())
    // A key in the wrong section is found by its last word.
    let last = "." + (key.split(separator: ".").last ?? "")
    let guess =
      suggestion(for: key, among: candidates) ?? keys.first { $0.hasSuffix(last) }
    return guess.map { "; did you mean \($0)?" } ?? ""
  }

  /// The field that a key's last word means wherever it is: one that other programs use, or one of ours
  /// that a single section has.
  private func hint(for key: String) -> String? {
    let word = key.split(separator: ".").last.map(String.init) ?? key
    if let hint = FieldHint.find(word) { return hint.text }
    return Self.words[FieldHint.squeezed(word)].map { "; did you mean \($0)?" }
  }

  /// The fields by their last words, but for words that several have.
  private static let words: [String: String] = {
    let fields = Configuration.fields.map { field in
      (FieldHint.squeezed(field.name.split(separator: ".").last.map(String.init) ?? ""), field.name)
    }
    return Dictionary(grouping: fields, by: \.0).compactMapValues { $0.count == 1 ? $0[0].1 : nil }
  }()

  // MARK: The whole

  /// What no field can check alone.
  private mutating func check(fallback: String, needsData: Bool, needsRunFolder: Bool) {
    let start = Place(fallback, line: 1, column: 1)
    if needsRunFolder, configuration.output.folder == nil, !refused.contains("output.folder") {
      report(
        places["output.folder"] ?? start,
        "output.folder: expected the run folder, which a configuration without a file name has to name; "
          + "or give --run FOLDER")
    }
    checkOwners()
    for fault in configuration.faults(isWhole: needsData) {
      let kindField = [fault.kindField].compactMap(\.self)
      guard refused.isDisjoint(with: kindField + fault.fields) else { continue }
      let field = fault.fields.first { places[$0] != nil } ?? fault.fields[0]
      let place = places[field] ?? kindField.first.flatMap { places[$0] } ?? start
      report(place, "\(field): \(fault.message)")
    }
  }

  private mutating func rememberKinds() {
    for name in Set(Configuration.fields.compactMap(\.owners?.kindField)) {
      kindsOfFile[name] = refused.contains(name) ? .some(nil) : kind(name)
    }
  }

  /// The kind that the configuration has now.
  private func kind(_ kindField: String) -> String? {
    Self.fields[kindField]?.get(configuration)?.text
  }

  /// Reports the fields that were set and that the kind of their section does not have.
  private mutating func checkOwners() {
    for field in Configuration.fields where !field.belongs(configuration) {
      guard let owners = field.owners, let place = places[field.name],
        !unset.contains(field.name), !refused.contains(owners.kindField)
      else { continue }
      if isLeftOut(owners, place) {
        field.set(nil, &configuration)
      } else {
        report(
          place,
          "\(field.name): belongs to \(owners.kinds.joined(separator: " and ")), and "
            + "\(owners.kindField) is \(kind(owners.kindField) ?? ""); leave it out")
      }
    }
  }

  /// Whether a field of another kind is left out without an error: a flag that chooses another kind than
  /// the file takes the fields of the file's kind away.
  private func isLeftOut(_ owners: Field<Configuration>.Owners, _ place: Place) -> Bool {
    guard place.isInFile else { return false }
    if origin == .program { return true }
    guard let chosen = places[owners.kindField], !chosen.isInFile else { return false }
    // Of a kind that does not exist nothing is known, and it is an error already.
    guard case let kind?? = kindsOfFile[owners.kindField] else { return true }
    return owners.kinds.contains(kind)
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
}
