/// Text from outside (file names, arguments, what files say) as it may be sent to a terminal: a control
/// character could move the cursor or change the title, a bidi override could reorder what is read.

/// The text with every unsafe character as `\u{1B}`, and line ends and tabs as `\n`, `\r` and `\t`, so that
/// it is one line.
///
/// - Parameter layout: control characters that stay because our own format put them there.
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

/// Bytes that need not be UTF-8: everything beyond printable ASCII as `\xE9`.
package func visible(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { byte in
    (0x20..<0x7F).contains(byte)
      ? String(Unicode.Scalar(byte)) : "\\x\(hexadecimal(UInt32(byte), digits: 2))"
  }.joined()
}

/// JSON whose strings have every unsafe character as an escape, which means the same.
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

/// The first `limit` characters of a text that has more, and how many those are.
package func truncated(_ text: String, to limit: Int) -> String {
  // Scalars: a single `Character` can have a million of them.
  let scalars = text.unicodeScalars
  guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
    end != scalars.endIndex
  else { return text }
  let more = scalars.distance(from: end, to: scalars.endIndex)
  return String(scalars[..<end]) + "… (\(counted(more, "more character")))"
}

/// A number and its noun, in the singular or the plural.
package func counted(_ number: Int, _ noun: String) -> String {
  "\(number) \(noun)" + (number == 1 ? "" : "s")
}

/// Control characters, line separators, and format characters such as the bidi overrides. The two joiners
/// stay, which emoji and several scripts need.
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
