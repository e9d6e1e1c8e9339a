import Options
import Yams

extension Configuration {
  /// The configuration as YAML, with every field that belongs to the chosen kinds and has a value.
  ///
  /// - Parameter scope: only fields of this scope, or nil for all fields.
  package func yaml(_ scope: FieldScope? = nil) -> String {
    var sections: [(Node, Node)] = []
    for field in Configuration.fields where scope == nil || field.scope(self) == scope {
      guard let value = field.get(self)?.text else { continue }
      let parts = field.name.split(separator: ".").map(String.init)
      // Numbers and names of choices are written plain; the emitter quotes what would read as another type.
      let scalar = ConfigurationValue(text: value, isPlain: true)
      let node =
        field.domain.isList
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
    // The tree consists of scalars, lists and mappings, which can always be serialized. Falling back to an
    // empty text instead would save it and replace a good checkpoint.
    guard let text = try? Yams.serialize(node: Node(sections), allowUnicode: true) else {
      preconditionFailure("a configuration cannot be written as YAML")
    }
    return text
  }

  /// The fields that have this scope in both configurations, and different values.
  package func differences(
    from other: Configuration, in scope: FieldScope
  ) -> [(key: String, here: String, there: String)] {
    Configuration.fields.filter { $0.scope(self) == scope && $0.scope(other) == scope }
      .compactMap { field in
        let (here, there) = (
          field.get(self)?.text ?? "nothing", field.get(other)?.text ?? "nothing"
        )
        return here == there ? nil : (field.name, here, there)
      }
  }
}
