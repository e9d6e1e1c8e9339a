/// The architectures that a configuration can name.
package struct ArchitectureName: RawRepresentable, CaseIterable, Hashable, Sendable {
  /// All of them. A new one is a file of its own and a line here.
  private static let types: [any NamedArchitecture.Type] = [
    ResidualArchitecture.self,
    StridedArchitecture.self,
    ResblockArchitecture.self,
    HierarchicalArchitecture.self,
  ]

  package let type: any NamedArchitecture.Type

  package init(_ type: any NamedArchitecture.Type) { self.type = type }

  package init?(rawValue: String) {
    guard let type = Self.types.first(where: { $0.name == rawValue }) else { return nil }
    self.type = type
  }

  package var rawValue: String { type.name }

  package static var allCases: [Self] { types.map(Self.init) }

  package static func == (a: Self, b: Self) -> Bool { a.rawValue == b.rawValue }

  package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }

  /// A field without the type of the architecture's options.
  package struct Field: Sendable, Equatable {
    package let name: String
    package let domain: FieldDomain
    package let meaning: String
    /// What it is where nothing is said.
    package let initial: FieldValue
  }

  /// The fields of the section `model` that the architecture has, besides `architecture`.
  package var fields: [Field] { Self.fields(of: self.type) }

  private static func fields<Named: NamedArchitecture>(of type: Named.Type) -> [Field] {
    let options = Named.Options()
    return Named.fields.map {
      Field(name: $0.name, domain: $0.domain, meaning: $0.meaning, initial: $0.get(options))
    }
  }
}
