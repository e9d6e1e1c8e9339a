import Diagnostics
import Files
import Options

/// The value of a field as written in a YAML file or in a flag: a scalar, or a list of scalars.
struct ConfigurationValue {
  let text: String
  /// Whether the scalar has no quotation marks; only then can it be a number or null.
  let isPlain: Bool
  /// The items of a list, whose text is `[a, b]`, or nil for a scalar.
  let items: [ConfigurationValue]?

  init(text: String, isPlain: Bool) {
    self.text = text
    self.isPlain = isPlain
    items = nil
  }

  init(items: [ConfigurationValue]) {
    text = "[\(items.map(\.text).joined(separator: ", "))]"
    isPlain = false
    self.items = items
  }

  /// A list in a flag: items separated by commas, with or without square brackets around the list.
  init(flagList text: String) {
    let isBracketed = text.hasPrefix("[") && text.hasSuffix("]") && text.count > 1
    let parts = isBracketed ? text.dropFirst().dropLast() : text[...]
    self.init(
      items: parts.split(separator: ",", omittingEmptySubsequences: false).map { part in
        Self(text: withoutBlanks(part), isPlain: true)
      })
  }

  /// Whether this is YAML's null, which an empty plain scalar is too.
  var isNull: Bool { isPlain && ["null", "~", "Null", "NULL", ""].contains(text) }

  /// The same without quotation marks.
  var unquoted: Self {
    items.map { Self(items: $0.map(\.unquoted)) }
      ?? Self(text: withoutBlanks(text[...]), isPlain: true)
  }

  /// The value for a message. A number and the same digits in quotation marks look different.
  var shown: String {
    if let items {
      let quoted = items.contains { !$0.isPlain } ? " with text in quotation marks" : ""
      return excerpt(text) + quoted
    }
    guard isPlain else { return "the text '\(excerpt(text))' in quotation marks" }
    if text.isEmpty { return "nothing" }
    // Leading or trailing blanks would be invisible without quotation marks.
    return text.first == " " || text.last == " "
      ? "\"\(excerpt(text))\"" : excerpt(text)
  }

  func integer<Integer: FixedWidthInteger>(as type: Integer.Type) -> Integer? {
    isPlain ? Integer(text) : nil
  }

  /// The whole number, or nil if the value is not one or is out of range.
  func integer(in range: ClosedRange<Int>) -> Int? {
    integer(as: Int.self).flatMap { range.contains($0) ? $0 : nil }
  }

  /// The number, or nil if the value is not one or is out of range.
  func number(in range: Range<Double>) -> Double? {
    number.flatMap { range.contains($0) ? $0 : nil }
  }

  /// The number, or nil if the value is not a finite number in decimal notation.
  private var number: Double? {
    guard isPlain, text.allSatisfy({ $0.isNumber || "+-.eE".contains($0) }),
      let value = Double(text), value.isFinite
    else { return nil }
    // −0 becomes 0: it prints differently and means the same.
    return value == 0 ? 0 : value
  }
}

/// The text without leading and trailing blanks and line ends.
private func withoutBlanks(_ text: Substring) -> String {
  let inside = text.drop { $0 == " " || $0 == "\n" }
  return String(inside.reversed().drop { $0 == " " || $0 == "\n" }.reversed())
}

extension FieldDomain {
  /// The value that a text denotes, or nil if it is outside the domain.
  func value(of text: ConfigurationValue) -> FieldValue? {
    switch self {
    case .integer(let range): return text.integer(in: range).map { .integer($0) }
    case .natural: return text.integer(as: UInt64.self).map { .natural($0) }
    case .integers(let range, let count):
      guard let items = text.items, count.contains(items.count) else { return nil }
      let numbers = items.compactMap { $0.integer(in: range) }
      return numbers.count == items.count ? .integers(numbers) : nil
    case .number(let range): return text.number(in: range).map { .number($0) }
    case .choice(let names): return names.contains(text.text) ? .choice(text.text) : nil
    case .path: return text.text.isEmpty ? nil : .path(text.text)
    }
  }
}
