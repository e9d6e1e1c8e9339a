/// Options that are described by fields.
package protocol FieldOptions: Sendable {
  /// The default options.
  init()
}

/// The options of a kind that has none.
package struct NoOptions: FieldOptions {
  package init() {}
}

/// Whether a field affects what a run computes.
package enum FieldScope: Sendable {
  /// Affects the result: saved in checkpoints, and fixed for a run.
  case experiment
  /// Where, how fast and how long a run computes: may change when it is resumed.
  case runtime
}

/// A field of options: its name, the values it can have, its default, and what it means.
///
/// This is the only description of a field. A kind declares the fields of its options, ``Section`` merges the
/// fields of its kinds into fields of the section, and a configuration lifts the fields of its sections to
/// dotted names.
package struct Field<Options: FieldOptions>: Sendable {
  /// The kinds of a section that have a field.
  package struct Owners: Sendable, Equatable {
    /// The field that names the kind.
    package let kindField: String
    package let kinds: [String]
  }

  /// Dotted in a whole configuration, such as `training.steps`.
  package let name: String
  package let domain: FieldDomain
  /// A short description that does not repeat `domain`.
  package let meaning: String
  /// Whether the field may have no value.
  package let isOptional: Bool
  /// The default, or nil if there is none.
  package let initial: FieldValue?
  /// The kinds that have the field, or nil if it does not depend on a kind.
  package let owners: Owners?
  /// Whether the kind that the options name has the field.
  package let belongs: @Sendable (Options) -> Bool
  package let scope: @Sendable (Options) -> FieldScope
  /// The value, or nil if there is none.
  package let get: @Sendable (Options) -> FieldValue?
  /// Sets a value, which must be in `domain`; nil restores the default.
  package let set: @Sendable (FieldValue?, inout Options) -> Void
}

// MARK: Fields of a property

extension Field {
  package typealias Path<Value> = WritableKeyPath<Options, Value> & Sendable

  private init<Value: Sendable>(
    _ name: String, _ path: Path<Value>, _ domain: FieldDomain, _ meaning: String,
    _ scope: FieldScope, isOptional: Bool = false, get: @escaping @Sendable (Value) -> FieldValue?,
    set: @escaping @Sendable (FieldValue) -> Value?
  ) {
    let initial = Options()[keyPath: path]
    self.init(
      name: name, domain: domain, meaning: meaning, isOptional: isOptional, initial: get(initial),
      owners: nil, belongs: { _ in true }, scope: { _ in scope },
      get: { get($0[keyPath: path]) },
      set: { value, options in
        guard let value else {
          options[keyPath: path] = initial
          return
        }
        precondition(domain.contains(value), "\(name) cannot be \(value)")
        if let value = set(value) { options[keyPath: path] = value }
      })
  }

  package static func integer(
    _ name: String, _ path: Path<Int>, _ range: ClosedRange<Int>, _ meaning: String,
    _ scope: FieldScope = .experiment
  ) -> Self {
    Self(name, path, .integer(range), meaning, scope) {
      .integer($0)
    } set: {
      if case .integer(let value) = $0 { value } else { nil }
    }
  }

  package static func optionalInteger(
    _ name: String, _ path: Path<Int?>, _ range: ClosedRange<Int>, _ meaning: String,
    _ scope: FieldScope = .experiment
  ) -> Self {
    Self(name, path, .integer(range), meaning, scope, isOptional: true) {
      $0.map { .integer($0) }
    } set: {
      if case .integer(let value) = $0 { .some(value) } else { nil }
    }
  }

  package static func natural(
    _ name: String, _ path: Path<UInt64>, _ meaning: String, _ scope: FieldScope = .experiment
  ) -> Self {
    Self(name, path, .natural, meaning, scope) {
      .natural($0)
    } set: {
      if case .natural(let value) = $0 { value } else { nil }
    }
  }

  package static func integers(
    _ name: String, _ path: Path<[Int]>, _ range: ClosedRange<Int>, count: ClosedRange<Int>,
    _ meaning: String, _ scope: FieldScope = .experiment
  ) -> Self {
    Self(name, path, .integers(range, count: count), meaning, scope) {
      .integers($0)
    } set: {
      if case .integers(let value) = $0 { value } else { nil }
    }
  }

  package static func number(
    _ name: String, _ path: Path<Double>, _ range: Range<Double>, _ meaning: String,
    _ scope: FieldScope = .experiment
  ) -> Self {
    Self(name, path, .number(range), meaning, scope) {
      .number($0)
    } set: {
      if case .number(let value) = $0 { value } else { nil }
    }
  }

  package static func optionalNumber(
    _ name: String, _ path: Path<Double?>, _ range: Range<Double>, _ meaning: String,
    _ scope: FieldScope = .experiment
  ) -> Self {
    Self(name, path, .number(range), meaning, scope, isOptional: true) {
      $0.map { .number($0) }
    } set: {
      if case .number(let value) = $0 { .some(value) } else { nil }
    }
  }

  package static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, _ path: Path<Value>, _ meaning: String, _ scope: FieldScope = .experiment
  ) -> Self {
    Self(name, path, .choice(Value.allCases.map(\.rawValue)), meaning, scope) {
      .choice($0.rawValue)
    } set: {
      if case .choice(let name) = $0 { Value(rawValue: name) } else { nil }
    }
  }

  package static func optionalChoice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, _ path: Path<Value?>, _ meaning: String, _ scope: FieldScope = .experiment
  ) -> Self {
    Self(
      name, path, .choice(Value.allCases.map(\.rawValue)), meaning, scope, isOptional: true
    ) {
      $0.map { .choice($0.rawValue) }
    } set: {
      if case .choice(let name) = $0 { Value(rawValue: name).map { .some($0) } } else { nil }
    }
  }

  package static func path(
    _ name: String, _ path: Path<String?>, _ meaning: String, _ scope: FieldScope = .runtime
  ) -> Self {
    Self(name, path, .path, meaning, scope, isOptional: true) {
      $0.map { .path($0) }
    } set: {
      if case .path(let path) = $0 { .some(path) } else { nil }
    }
  }

  /// The same field with a scope that depends on the other options.
  package func scoped(_ scope: @escaping @Sendable (Options) -> FieldScope) -> Self {
    Self(
      name: name, domain: domain, meaning: meaning, isOptional: isOptional, initial: initial,
      owners: owners, belongs: belongs, scope: scope, get: get, set: set)
  }
}

// MARK: Fields of a part

extension Field {
  /// The field as a field of `Whole`, which contains the options.
  ///
  /// - Parameter prefix: the name of the part. It precedes the field's name, with a dot.
  package func lifted<Whole>(
    to path: WritableKeyPath<Whole, Options> & Sendable, prefix: String
  ) -> Field<Whole> {
    Field<Whole>(
      name: "\(prefix).\(name)", domain: domain, meaning: meaning, isOptional: isOptional,
      initial: initial,
      owners: owners.map { .init(kindField: "\(prefix).\($0.kindField)", kinds: $0.kinds) },
      belongs: { [belongs] in belongs($0[keyPath: path]) },
      scope: { [scope] in scope($0[keyPath: path]) },
      get: { [get] in get($0[keyPath: path]) },
      set: { [set] in set($0, &$1[keyPath: path]) })
  }
}

extension Field {
  /// The field, under its own name, as a field of options that contain these.
  package func embedded<Whole>(
    in path: WritableKeyPath<Whole, Options> & Sendable
  ) -> Field<Whole> {
    Field<Whole>(
      name: name, domain: domain, meaning: meaning, isOptional: isOptional, initial: initial,
      owners: owners.map { .init(kindField: $0.kindField, kinds: $0.kinds) },
      belongs: { [belongs] in belongs($0[keyPath: path]) },
      scope: { [scope] in scope($0[keyPath: path]) }, get: { [get] in get($0[keyPath: path]) },
      set: { [set] in set($0, &$1[keyPath: path]) })
  }
}

// MARK: Faults

/// An error that no single field can detect.
package struct FieldFault: Sendable, Equatable {
  /// The fields concerned. The error is reported at the first of them that was set.
  package let fields: [String]
  /// What was expected, and what was found.
  package let message: String
  /// The field that names the kind that reports the fault, or nil.
  package let kindField: String?

  package init(_ fields: [String], _ message: String, kindField: String? = nil) {
    self.fields = fields
    self.message = message
    self.kindField = kindField
  }

  /// The fault with the dotted names of a whole that contains the options as the part `prefix`.
  package func lifted(prefix: String) -> Self {
    Self(
      fields.map { "\(prefix).\($0)" }, message, kindField: kindField.map { "\(prefix).\($0)" })
  }
}
