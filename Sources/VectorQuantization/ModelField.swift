/// A field of a configuration's section `model`, which an architecture declares for its options.
///
/// Two architectures may declare a field of one name; then all that is said of it is the same for both.
package struct ModelField<Options>: Sendable {
  package let name: String
  package let domain: FieldDomain
  /// A few words, with what `domain` does not say.
  package let meaning: String
  let get: @Sendable (Options) -> FieldValue
  let set: @Sendable (FieldValue, inout Options) -> Void

  package typealias Path<Value> = WritableKeyPath<Options, Value> & Sendable

  package static func integer(
    _ name: String, _ path: Path<Int>, _ range: ClosedRange<Int>, _ meaning: String
  ) -> Self {
    Self(name: name, domain: .integer(range), meaning: meaning) {
      .integer($0[keyPath: path])
    } set: { value, options in
      if case .integer(let value) = value { options[keyPath: path] = value }
    }
  }

  package static func integers(
    _ name: String, _ path: Path<[Int]>, _ range: ClosedRange<Int>, count: ClosedRange<Int>,
    _ meaning: String
  ) -> Self {
    Self(name: name, domain: .integers(range, count: count), meaning: meaning) {
      .integers($0[keyPath: path])
    } set: { value, options in
      if case .integers(let value) = value { options[keyPath: path] = value }
    }
  }

  package static func number(
    _ name: String, _ path: Path<Double>, _ range: Range<Double>, _ meaning: String
  ) -> Self {
    Self(name: name, domain: .number(range), meaning: meaning) {
      .number($0[keyPath: path])
    } set: { value, options in
      if case .number(let value) = value { options[keyPath: path] = value }
    }
  }

  package static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, _ path: Path<Value>, _ meaning: String
  ) -> Self {
    Self(name: name, domain: .choice(Value.allCases.map(\.rawValue)), meaning: meaning) {
      .choice($0[keyPath: path].rawValue)
    } set: { value, options in
      if case .choice(let name) = value, let value = Value(rawValue: name) {
        options[keyPath: path] = value
      }
    }
  }
}

/// What a field can be.
package enum FieldDomain: Sendable, Equatable {
  case integer(ClosedRange<Int>)
  /// A list of so many whole numbers.
  case integers(ClosedRange<Int>, count: ClosedRange<Int>)
  case number(Range<Double>)
  /// One of these words.
  case choice([String])

  func contains(_ value: FieldValue) -> Bool {
    switch (self, value) {
    case (.integer(let range), .integer(let value)): range.contains(value)
    case (.integers(let range, let count), .integers(let values)):
      count.contains(values.count) && values.allSatisfy(range.contains)
    case (.number(let range), .number(let value)): range.contains(value)
    case (.choice(let names), .choice(let name)): names.contains(name)
    default: false
    }
  }
}

/// What a field is.
package enum FieldValue: Sendable, Equatable {
  case integer(Int)
  case integers([Int])
  case number(Double)
  case choice(String)
}
