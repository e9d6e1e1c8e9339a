/// What stands at a field in a YAML file or behind it in a flag: a scalar, or a list of scalars.
struct ConfigurationValue {
  let text: String
  /// Whether it stands without quotation marks, and so can be a number.
  let isPlain: Bool
  /// Whether `null` and the like mean that there is no value.
  let canBeNull: Bool
  /// The parts of a list, whose text is `[a, b]`; nil for a scalar.
  let items: [ConfigurationValue]?

  init(text: String, isPlain: Bool, canBeNull: Bool) {
    self.text = text
    self.isPlain = isPlain
    self.canBeNull = canBeNull
    items = nil
  }

  init(items: [ConfigurationValue]) {
    text = "[\(items.map(\.text).joined(separator: ", "))]"
    isPlain = false
    canBeNull = false
    self.items = items
  }

  /// A list in a flag: its parts between commas, with or without square brackets around them.
  init(flagList text: String) {
    let isBracketed = text.hasPrefix("[") && text.hasSuffix("]") && text.count > 1
    let parts = isBracketed ? text.dropFirst().dropLast() : text[...]
    self.init(
      items: parts.split(separator: ",", omittingEmptySubsequences: false).map { part in
        Self(text: trimmed(part), isPlain: true, canBeNull: false)
      })
  }

  var isNull: Bool { canBeNull && isPlain && ["null", "~", "Null", "NULL", ""].contains(text) }

  func integer<Integer: FixedWidthInteger>(as type: Integer.Type) -> Integer? {
    isPlain ? Integer(text) : nil
  }

  /// A whole number of a range.
  func integer(in range: ClosedRange<Int>) -> Int? {
    integer(as: Int.self).flatMap { range.contains($0) ? $0 : nil }
  }

  /// A number of a range.
  func number(in range: Range<Double>) -> Double? {
    number.flatMap { range.contains($0) ? $0 : nil }
  }

  /// A finite number in decimal notation.
  private var number: Double? {
    guard isPlain, text.allSatisfy({ $0.isNumber || "+-.eE".contains($0) }),
      let value = Double(text), value.isFinite
    else { return nil }
    // Not −0, which is written otherwise and means the same.
    return value == 0 ? 0 : value
  }
}

/// Without the spaces at both ends.
private func trimmed(_ text: Substring) -> String {
  let inside = text.drop { $0 == " " }
  return String(inside.reversed().drop { $0 == " " }.reversed())
}
