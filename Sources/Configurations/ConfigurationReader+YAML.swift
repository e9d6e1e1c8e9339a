import Diagnostics
import Options

/// Reading the file: every key of the tree sets a field or is reported.
extension ConfigurationReader {
  mutating func apply(yaml: String, name: String) {
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

  mutating func apply(
    _ pairs: [(key: YAMLNode, value: YAMLNode)], prefix: String, name: String
  ) {
    var lines: [String: Int] = [:]
    for (keyNode, value) in pairs {
      let place = Place(name, keyNode.mark)
      // An alias has already been reported.
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
      let path = renamedFields[prefix + key] ?? prefix + key
      if key.contains(".") {
        reportUnknown(path, place: place, isInFile: true)
      } else if Self.sections.contains(path) {
        applySection(value, path, name: name)
      } else if let field = Self.fields[path] {
        set(field, value, place: Place(name, value.mark))
      } else {
        reportUnknown(path, place: place, isInFile: true)
        // In a misspelled section, our own keys are correct.
        let isMistyped = suggestion(for: path, among: Array(Self.sections)) != nil
        reportHints(in: value, prefix: excerpt(path) + ".", name: name, withOurs: !isMistyped)
      }
    }
  }

  mutating func applySection(_ node: YAMLNode, _ key: String, name: String) {
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

  /// Reports keys in an unknown section, as configurations of other programs have them, for which a field
  /// exists here under another name.
  ///
  /// - Parameter withOurs: whether keys with the name of one of our fields are reported too.
  mutating func reportHints(
    in node: YAMLNode, prefix: String, name: String, withOurs: Bool
  ) {
    guard case .mapping(let pairs) = node.content else { return }
    for case (let keyNode, let value) in pairs {
      guard case .scalar(let key, _) = keyNode.content else { continue }
      if let hint = withOurs ? guess.hint(for: key) : FieldHint.find(key)?.text {
        report(Place(name, keyNode.mark), "unknown key \(excerpt(prefix + key))" + hint)
      }
      reportHints(
        in: value, prefix: excerpt(prefix + key) + ".", name: name, withOurs: withOurs)
    }
  }

  mutating func set(_ field: Field<Configuration>, _ node: YAMLNode, place: Place) {
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
}
