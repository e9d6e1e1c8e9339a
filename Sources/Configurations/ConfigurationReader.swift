import Diagnostics
import Files
import Options

/// Reads a configuration from YAML and `key=value` overrides, and collects all faults.
package struct ConfigurationReader {
  /// Larger files are refused; a configuration has a few dozen lines.
  static let maximumSize = 64 * 1024

  static let empty =
    "the configuration is empty; expected fields, such as seed: 1 (configs/demo.yaml is a whole one, and "
    + "docs/configuration.md has the list)"

  /// The author of a text.
  package enum Origin: Sendable {
    /// A user: a field that does not belong to the chosen kind is an error.
    case user
    /// The program, in a run folder or a checkpoint. Early programs with checkpoint format 1 wrote every
    /// field of `data` and `quantizer`, whatever the kind; fields of other kinds are dropped.
    case program
  }

  let origin: Origin
  /// The current names of fields by their names in earlier formats.
  let renamedFields: [String: String]
  var configuration = Configuration()
  var faults: [(place: Place, message: String)] = []
  /// The place where each field was set.
  var places: [String: Place] = [:]
  /// Fields with invalid values; checks that depend on them are skipped.
  var refused: Set<String> = []
  /// Fields that were set to null; they may belong to any kind.
  var unset: Set<String> = []
  /// The kind of each section after the file and before the overrides, by the name of its kind field, or
  /// nil if the kind was invalid.
  var kindsOfFile: [String: String?] = [:]
  /// Whether the text could be parsed to its end. If not, checks of the whole configuration are skipped,
  /// since absent fields may only be unread.
  var isReadable = true
  var guess = KeyGuess(
    fields: Configuration.fields.map(\.name), sections: ConfigurationReader.sections.sorted())

  private init(_ origin: Origin, renamedFields: [String: String]) {
    self.origin = origin
    self.renamedFields = renamedFields
  }

  /// The place where a value was set: a position in the file, or a flag, which sorts after the file.
  struct Place {
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

  /// Reads a file, a pipe, or standard input if the path is `-`, applies the overrides in order, and checks
  /// the whole configuration.
  ///
  /// - Parameters:
  ///   - renamedFields: the current names of fields by their names in earlier formats.
  ///   - runFolder: replaces `output.folder`, whatever the file and the overrides say.
  ///   - needsRunFolder: whether a run folder is required. A file's name provides a default, a pipe's name
  ///     does not.
  package static func read(
    file: String, from origin: Origin = .user, renamedFields: [String: String] = [:],
    overrides: [String] = [], runFolder: String? = nil, needsRunFolder: Bool = true
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
      yaml: input.text, name: input.name, from: origin, renamedFields: renamedFields,
      overrides: overrides, runFolder: runFolder,
      needsRunFolder: needsRunFolder && !input.isNamedFile)
  }

  /// - Parameters:
  ///   - name: the name that precedes line and column in a message.
  ///   - needsData: whether the configuration has to give the location of its images, as that of a run
  ///     does; the one in a checkpoint does not.
  ///   - needsRunFolder: whether the configuration has to name the run folder, since `name` does not
  ///     provide a default.
  package static func read(
    yaml: String, name: String, from origin: Origin = .user,
    renamedFields: [String: String] = [:], overrides: [String] = [], runFolder: String? = nil,
    needsData: Bool = true, needsRunFolder: Bool = false
  ) throws -> Configuration {
    var reader = ConfigurationReader(origin, renamedFields: renamedFields)
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

  // MARK: Overrides

  mutating func apply(override: String) {
    let place = Place(flag: "--set \(excerpt(override, limit: 120))")
    guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
      report(place, "expected key=value, such as training.steps=100")
      return
    }
    let key = String(override[..<equals])
    let text = String(override[override.index(after: equals)...])
    guard let field = Self.fields[key] else {
      if Self.sections.contains(key) {
        reportSection(key, text, place: place)
      } else {
        reportUnknown(key, place: place, isInFile: false)
      }
      return
    }
    let value = ConfigurationValue(text: text, isPlain: true)
    set(
      field, field.domain.isList && !value.isNull ? ConfigurationValue(flagList: text) : value,
      place: place)
  }

  /// The path is not parsed as YAML, so `null` is the name of a folder.
  mutating func apply(runFolder: String) {
    guard let field = Self.fields["output.folder"] else { preconditionFailure("no output.folder") }
    set(
      field, ConfigurationValue(text: runFolder, isPlain: false),
      place: Place(flag: "--run \(excerpt(runFolder))"))
  }

  // MARK: Fields

  static let fields = Dictionary(
    uniqueKeysWithValues: Configuration.fields.map { ($0.name, $0) })

  static let sections = Set(
    Configuration.fields.compactMap { field in
      field.name.contains(".") ? String(field.name.prefix { $0 != "." }) : nil
    })

  mutating func set(
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
    // Whether only the quotation marks are wrong.
    let isRight = field.domain.value(of: value.unquoted) != nil
    refuse(
      field, found: value.shown + (isRight ? "; write \(value.unquoted.shown)" : ""), place: place)
  }

  mutating func refuse(_ field: Field<Configuration>, found: String, place: Place) {
    places[field.name] = place
    refused.insert(field.name)
    report(place, "\(field.name): expected \(field.domain.expected), found \(found)")
  }

  /// Reports a section that is set like a field, and names the field that is probably meant.
  private mutating func reportSection(_ section: String, _ text: String, place: Place) {
    let fields = Configuration.fields.filter { $0.name.hasPrefix(section + ".") }
    let value = ConfigurationValue(text: text, isPlain: true)
    let meant = fields.first {
      if case .choice = $0.domain { $0.domain.value(of: value) != nil } else { false }
    }
    let guess =
      meant.map { "did you mean \($0.name)=\(value.text)?" }
      ?? "set one of its fields, such as \(fields.first?.name ?? section)"
    report(place, "\(section) is a section, not a field; \(guess)")
  }

  mutating func reportUnknown(_ key: String, place: Place, isInFile: Bool) {
    if isInFile, Self.fields[key] != nil, let dot = key.firstIndex(of: ".") {
      report(
        place,
        "unknown key \(key); in a file, \(key[key.index(after: dot)...]) is a key of the section "
          + "\(key[..<dot])")
      return
    }
    report(place, "unknown key \(excerpt(key))\(guess.text(for: key))")
  }

  mutating func report(_ place: Place, _ message: String) {
    faults.append((place, message))
  }

  /// All faults in the order of the file, followed by those of flags.
  var error: ConfigurationError {
    let ordered = faults.enumerated().sorted {
      ($0.element.place.line, $0.element.place.column, $0.offset)
        < ($1.element.place.line, $1.element.place.column, $1.offset)
    }
    return ConfigurationError(
      ordered.map { .init(place: $0.element.place.text, message: $0.element.message) })
  }
}
