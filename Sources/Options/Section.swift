/// A kind that a section of a configuration can name, such as an architecture, a quantizer or a data source.
///
/// To add a kind, add a file with its type, and a line to the list of its section.
package protocol Kind: SendableMetatype {
  /// The name in configurations.
  static var name: String { get }

  /// The options and their defaults.
  associatedtype Options: FieldOptions = NoOptions

  /// The fields of the options. A configuration that names another kind may not set them.
  ///
  /// Several kinds may have the same field; its domain, default and scope must then be the same for all.
  static var fields: [Field<Options>] { get }

  /// An error in a combination of options that are each valid, or nil.
  static func fault(in options: Options) -> FieldFault?

  /// An option that only the user can provide, such as the path of files, and that is missing; or nil. It may
  /// be missing in the configuration of a checkpoint, which has no paths.
  static func missing(in options: Options) -> FieldFault?
}

extension Kind {
  package static func fault(in _: Options) -> FieldFault? { nil }
  package static func missing(in _: Options) -> FieldFault? { nil }
}

extension Kind where Options == NoOptions {
  package static var fields: [Field<NoOptions>] { [] }
}

/// The kinds that a section can name.
package protocol Kinds: Sendable {
  /// `any P.Type`, where P is the protocol of these kinds.
  associatedtype Entry

  /// All of them, in the order of the documentation.
  static var all: [Entry] { get }

  /// The entry as `any Kind.Type`. The implementation is just `entry`: this conversion is implicit for a
  /// concrete `Entry`, but not in generic code.
  static func kind(_ entry: Entry) -> any Kind.Type

  /// The default kind.
  static var initial: Entry { get }

  /// The name and the meaning of the field that names the kind.
  static var field: (name: String, meaning: String) { get }
}

/// A section of a configuration: a kind, and the options of that kind.
package struct Section<List: Kinds>: FieldOptions {
  /// The name of the kind.
  package private(set) var kind = List.kind(List.initial).name

  /// Values set so far, by field name. Fields of every kind are kept, because the kind may come later in a
  /// file; only the current kind's fields are used.
  private var values: [String: FieldValue] = [:]

  package init() {}

  package init<K: Kind>(_ type: K.Type, _ options: K.Options) {
    kind = type.name
    for field in K.fields { values[field.name] = field.get(options) }
  }

  /// The kind of this name with default options, or nil if there is no such kind.
  package init?(kind: String) {
    guard Self.kinds.contains(kind) else { return nil }
    self.kind = kind
  }

  /// The names of all kinds.
  package static var kinds: [String] { List.all.map { List.kind($0).name } }

  /// The type of the kind.
  package var entry: List.Entry {
    guard let entry = List.all.first(where: { List.kind($0).name == kind }) else {
      preconditionFailure("there is no kind \(kind)")
    }
    return entry
  }

  private var kindType: any Kind.Type { List.kind(entry) }

  /// The options of a kind: the values set, and defaults for the others.
  package func options<K: Kind>(of _: K.Type) -> K.Options {
    var options = K.Options()
    for field in K.fields {
      if let value = values[field.name] { field.set(value, &options) }
    }
    return options
  }

  /// Changes the options of a kind.
  package mutating func update<K: Kind>(_ type: K.Type, _ change: (inout K.Options) -> Void) {
    var options = options(of: type)
    change(&options)
    for field in K.fields { values[field.name] = field.get(options) }
  }

  /// The value of a field, or nil if it has none or if the kind has no such field.
  ///
  /// Setting nil restores the default. Fields of other kinds can be set too; they have no effect until such a
  /// kind is chosen.
  package subscript(field name: String) -> FieldValue? {
    get { Self.value(name, values, kindType) }
    set {
      guard let domain = List.all.lazy.compactMap({ Self.domain(name, List.kind($0)) }).first else {
        preconditionFailure("no kind has a field \(name)")
      }
      precondition(newValue.map(domain.contains) ?? true, "\(name) cannot be \(newValue!)")
      values[name] = newValue
    }
  }

  private static func domain<K: Kind>(_ name: String, _: K.Type) -> FieldDomain? {
    K.fields.first { $0.name == name }?.domain
  }

  private static func value<K: Kind>(
    _ name: String, _ values: [String: FieldValue], _: K.Type
  ) -> FieldValue? {
    K.fields.first { $0.name == name }.flatMap { values[name] ?? $0.initial }
  }

  /// Whether the kind has a field.
  package func has(field name: String) -> Bool { Self.names(kindType).contains(name) }

  private static func names<K: Kind>(_: K.Type) -> [String] { K.fields.map(\.name) }

  /// An error that no single field can detect, or nil.
  package var fault: FieldFault? {
    func fault<K: Kind>(_ type: K.Type) -> FieldFault? { K.fault(in: options(of: type)) }
    return fault(kindType).map(ofKind)
  }

  /// An option that only the user can provide and that is missing, or nil.
  package var missing: FieldFault? {
    func missing<K: Kind>(_ type: K.Type) -> FieldFault? { K.missing(in: options(of: type)) }
    return missing(kindType).map(ofKind)
  }

  private func ofKind(_ fault: FieldFault) -> FieldFault {
    FieldFault(fault.fields, fault.message, kindField: List.field.name)
  }

  /// The kind and its fields on one line, such as `residual (preset zalando, hidden 128)`.
  package var summary: String {
    let fields = Self.names(kindType).compactMap { name in
      self[field: name].map { "\(name) \($0.text)" }
    }
    return kind + (fields.isEmpty ? "" : " (\(fields.joined(separator: ", ")))")
  }
}

extension Section: Equatable {
  /// Whether both have the same kind with the same options. Values set for other kinds are ignored.
  package static func == (a: Self, b: Self) -> Bool {
    a.kind == b.kind && names(a.kindType).allSatisfy { a[field: $0] == b[field: $0] }
  }
}

// MARK: Fields of the section

extension Section {
  /// The field that names the kind, then the fields of all kinds in the order of the list. A field of several
  /// kinds occurs once.
  package static var fields: [Field<Self>] {
    var found: [Declaration] = []
    for entry in List.all { merge(declarations(of: List.kind(entry)), into: &found) }
    return [kindField] + found.map(\.field)
  }

  private static var kindField: Field<Self> {
    let names = kinds
    return Field(
      name: List.field.name, domain: .choice(names), meaning: List.field.meaning,
      isOptional: false, initial: .choice(Self().kind), owners: nil, belongs: { _ in true },
      scope: { _ in .experiment }, get: { .choice($0.kind) },
      set: { value, section in
        guard case .choice(let name)? = value else {
          section.kind = Self().kind
          return
        }
        precondition(names.contains(name), "there is no kind \(name)")
        section.kind = name
      })
  }

  /// A field with the kinds that have it, and its meaning for each of them.
  private struct Declaration {
    let name: String
    let domain: FieldDomain
    let isOptional: Bool
    let initial: FieldValue?
    let scope: @Sendable (Section) -> FieldScope
    var meanings: [(kind: String, meaning: String)]

    func agrees(with other: Self) -> Bool {
      (domain, isOptional, initial) == (other.domain, other.isOptional, other.initial)
    }

    var field: Field<Section> {
      let name = name
      let owners = meanings.map(\.kind)
      return Field(
        name: name, domain: domain, meaning: meaning, isOptional: isOptional, initial: initial,
        owners: .init(kindField: List.field.name, kinds: owners),
        belongs: { owners.contains($0.kind) }, scope: scope, get: { $0[field: name] },
        set: { $1[field: name] = $0 })
    }

    /// The meaning, after the names of the kinds if it is not the same for all kinds.
    private var meaning: String {
      var texts: [(kinds: [String], meaning: String)] = []
      for (kind, meaning) in meanings {
        if let i = texts.firstIndex(where: { $0.meaning == meaning }) {
          texts[i].kinds.append(kind)
        } else {
          texts.append(([kind], meaning))
        }
      }
      if texts.count == 1, meanings.count == Section.kinds.count { return texts[0].meaning }
      return texts.map { "\($0.kinds.joined(separator: ", ")): \($0.meaning)" }
        .joined(separator: "; ")
    }
  }

  private static func declarations<K: Kind>(of _: K.Type) -> [Declaration] {
    K.fields.map { field in
      Declaration(
        name: field.name, domain: field.domain, isOptional: field.isOptional,
        initial: field.initial, scope: { [scope = field.scope] in scope($0.options(of: K.self)) },
        meanings: [(K.name, field.meaning)])
    }
  }

  /// Merges the fields of a kind; a new field goes after the field that precedes it in the kind.
  private static func merge(_ new: [Declaration], into found: inout [Declaration]) {
    var end: Int?
    for declaration in new {
      if let i = found.firstIndex(where: { $0.name == declaration.name }) {
        precondition(found[i].agrees(with: declaration), "\(declaration.name) is two fields")
        found[i].meanings += declaration.meanings
        end = i + 1
      } else {
        found.insert(declaration, at: end ?? found.count)
        end = (end ?? found.count - 1) + 1
      }
    }
  }
}

extension Array {
  /// The fields of a part as fields of `Whole` (see ``Field/lifted(to:prefix:)``).
  package func lifted<Part, Whole>(
    to path: WritableKeyPath<Whole, Part> & Sendable, prefix: String
  ) -> [Field<Whole>] where Element == Field<Part> {
    map { $0.lifted(to: path, prefix: prefix) }
  }
}
