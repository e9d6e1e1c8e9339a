/// The value of a field.
package enum FieldValue: Sendable, Equatable {
  case integer(Int)
  case natural(UInt64)
  case integers([Int])
  case number(Double)
  case choice(String)
  case path(String)

  /// The value as it is written in a configuration.
  package var text: String {
    switch self {
    case .integer(let value): "\(value)"
    case .natural(let value): "\(value)"
    case .integers(let values): "[\(values.map(String.init).joined(separator: ", "))]"
    case .number(let value): "\(value)"
    case .choice(let name): name
    case .path(let path): path
    }
  }
}

/// The values that a field can have.
package enum FieldDomain: Sendable, Equatable {
  case integer(ClosedRange<Int>)
  /// A whole number of at least 0.
  case natural
  /// A list of whole numbers.
  case integers(ClosedRange<Int>, count: ClosedRange<Int>)
  case number(Range<Double>)
  /// One of these words.
  case choice([String])
  case path

  package func contains(_ value: FieldValue) -> Bool {
    switch (self, value) {
    case (.integer(let range), .integer(let value)): range.contains(value)
    case (.natural, .natural): true
    case (.integers(let range, let count), .integers(let values)):
      count.contains(values.count) && values.allSatisfy(range.contains)
    case (.number(let range), .number(let value)): range.contains(value)
    case (.choice(let names), .choice(let name)): names.contains(name)
    case (.path, .path(let path)): !path.isEmpty
    default: false
    }
  }

  package var isList: Bool {
    if case .integers = self { true } else { false }
  }

  /// The domain as a phrase that follows "expected".
  package var expected: String {
    switch self {
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .natural: "a whole number of at least 0"
    case .integers(let range, let count):
      "a list of \(count.lowerBound) to \(count.upperBound) whole numbers from "
        + "\(range.lowerBound) to \(range.upperBound), such as [64, 128]"
    case .number(let range):
      "a number of at least \(Self.short(range.lowerBound)) and below \(Self.short(range.upperBound))"
    case .choice(let names):
      names.count == 1 ? names[0] : names.dropLast().joined(separator: ", ") + " or " + names.last!
    case .path: "a path"
    }
  }

  /// The bound of a range, without a trailing `.0`, and as a power of ten from 10⁶ on.
  private static func short(_ value: Double) -> String {
    let text = "\(value)"
    if abs(value) >= 1e6 { return "1e\(text.prefix { $0 != "." }.count - 1)" }
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
