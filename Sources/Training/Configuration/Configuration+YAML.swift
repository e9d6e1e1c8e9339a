import Yams

extension Configuration {
  /// The configuration as a file, with every field in it that belongs to its architecture and has a value.
  ///
  /// - Parameter scope: only fields of this scope; nil for all.
  package func yaml(_ scope: ConfigurationField.Scope? = nil) -> String {
    var sections: [(Node, Node)] = []
    for field in ConfigurationField.all where scope == nil || field.scope(in: self) == scope {
      guard let value = field.value(in: self) else { continue }
      let parts = field.key.split(separator: ".").map(String.init)
      // Numbers and names of choices stand plain; the emitter quotes what would read as another type.
      let scalar = ConfigurationValue(text: value, isPlain: true)
      let node =
        field.isList
        ? Node(
          ConfigurationValue(flagList: value).items?.map { Node($0.text) } ?? [], .implicit, .flow)
        : Node(value, .implicit, scalar.isNull ? .singleQuoted : .any)
      if parts.count == 1 {
        sections.append((Node(parts[0]), node))
      } else if let last = sections.indices.last, sections[last].0 == Node(parts[0]) {
        sections[last].1.mapping?[Node(parts[1])] = node
      } else {
        sections.append((Node(parts[0]), Node([(Node(parts[1]), node)])))
      }
    }
    // The tree consists of scalars, lists and mappings, which can always be written. An empty text in
    // place of one that cannot would be saved, and replace a good checkpoint.
    guard let text = try? Yams.serialize(node: Node(sections), allowUnicode: true) else {
      preconditionFailure("a configuration cannot be written as YAML")
    }
    return text
  }

  /// The architecture and its fields on a line, such as `residual (preset zalando, hidden 128)`.
  package var modelSummary: String {
    let prefix = "model."
    let fields = ConfigurationField.all.filter { $0.architectures != nil }
      .compactMap { field in
        field.value(in: self).map { "\(field.key.dropFirst(prefix.count)) \($0)" }
      }
    return model.architecture.rawValue
      + (fields.isEmpty ? "" : " (\(fields.joined(separator: ", ")))")
  }

  /// The fields of one scope in both configurations that differ between them.
  package func differences(
    from other: Configuration, in scope: ConfigurationField.Scope
  ) -> [(key: String, here: String, there: String)] {
    ConfigurationField.all.filter {
      $0.scope(in: self) == scope && $0.scope(in: other) == scope
    }.compactMap { field in
      let (here, there) = (field.value(in: self) ?? "nothing", field.value(in: other) ?? "nothing")
      return here == there ? nil : (field.key, here, there)
    }
  }
}
