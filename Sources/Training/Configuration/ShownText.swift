/// A text of a user as a message shows it: on one line, without characters that would move a terminal's
/// cursor or turn the direction of writing, and cut at a length that leaves the message readable.
func shown(_ text: String, limit: Int = 80) -> String {
  var result = String.UnicodeScalarView()
  let scalars = text.unicodeScalars
  for scalar in scalars.prefix(limit) {
    switch scalar {
    case "\n": result.append(contentsOf: "\\n".unicodeScalars)
    case "\r": result.append(contentsOf: "\\r".unicodeScalars)
    case "\t": result.append(contentsOf: "\\t".unicodeScalars)
    case _ where isHidden(scalar):
      let digits = String(scalar.value, radix: 16, uppercase: true)
      result.append(contentsOf: "\\u{\(digits)}".unicodeScalars)
    default: result.append(scalar)
    }
  }
  return String(result) + (scalars.dropFirst(limit).isEmpty ? "" : "…")
}

private func isHidden(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .lineSeparator, .paragraphSeparator: true
  // Of the format characters, joiners are parts of words and pictures.
  case .format: scalar != "\u{200C}" && scalar != "\u{200D}"
  default: false
  }
}
