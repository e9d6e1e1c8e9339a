// Text from outside (file names, arguments, the contents of files) has to be escaped before it is sent to a
// terminal: a control character could move the cursor or change the title, and a bidi override could
// reorder the text.

/// The text on one line, with every unsafe character in the form `\u{1B}`, and line ends and tabs as `\n`,
/// `\r` and `\t`.
///
/// - Parameter layout: unsafe characters that are kept because our own format put them there.
package func visible(_ text: String, keeping layout: Set<Unicode.Scalar> = []) -> String {
  guard text.unicodeScalars.contains(where: { isUnsafe($0) && !layout.contains($0) }) else {
    return text
  }
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    if isUnsafe(scalar), !layout.contains(scalar) {
      let escape =
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(hexadecimal(scalar.value, digits: 2))}"
        }
      result += escape.unicodeScalars
    } else {
      result.append(scalar)
    }
  }
  return String(result)
}

/// Bytes that need not be UTF-8, with everything but printable ASCII in the form `\xE9`.
package func visible(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { byte in
    (0x20..<0x7F).contains(byte)
      ? String(Unicode.Scalar(byte)) : "\\x\(hexadecimal(UInt32(byte), digits: 2))"
  }.joined()
}

/// Equivalent JSON in which every unsafe character of a string is escaped.
package func visibleJSON(_ json: String) -> String {
  var result = String.UnicodeScalarView()
  for scalar in json.unicodeScalars {
    if isUnsafe(scalar), scalar != "\n" {
      for unit in String(scalar).utf16 {
        result += "\\u\(hexadecimal(UInt32(unit), digits: 4))".unicodeScalars
      }
    } else {
      result.append(scalar)
    }
  }
  return String(result)
}

/// The text, or its first `limit` Unicode scalars and the number of those left out.
package func truncated(_ text: String, to limit: Int) -> String {
  // Counted in scalars, because a single `Character` can have a million of them.
  let scalars = text.unicodeScalars
  guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
    end != scalars.endIndex
  else { return text }
  let more = scalars.distance(from: end, to: scalars.endIndex)
  return String(scalars[..<end]) + "… (\(counted(more, "more character")))"
}

/// A number and its noun, in the singular or plural.
package func counted(_ number: Int, _ noun: String) -> String {
  "\(number) \(noun)" + (number == 1 ? "" : "s")
}

/// Control characters, line separators, and format characters such as the bidi overrides. The zero-width
/// joiner and non-joiner are safe, because emoji and several scripts need them.
private func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .lineSeparator, .paragraphSeparator: true
  case .format: scalar != "\u{200C}" && scalar != "\u{200D}"
  default: false
  }
}

private func hexadecimal(_ value: UInt32, digits: Int) -> String {
  let text = String(value, radix: 16, uppercase: true)
  return String(repeating: "0", count: max(0, digits - text.count)) + text
}
