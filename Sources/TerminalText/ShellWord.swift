/// Quotes a word for a shell, if it needs quotes.
package func shellWord(_ word: String) -> String { shellWord(Array(word.utf8)) }

/// Quotes a word of arbitrary bytes for a shell. If it has unsafe characters or is not UTF-8, all bytes but
/// printable ASCII become octal escapes.
package func shellWord(_ word: [UInt8]) -> String {
  let plain = Array("/._-+:,@%=".utf8)
  func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: plain.contains(byte)
    }
  }
  guard let text = String(validating: word, as: UTF8.self), visible(text) == text else {
    return "$'" + word.map(escaped).joined() + "'"
  }
  if word.allSatisfy(isPlain), !word.isEmpty { return text }
  return "'"
    + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}

/// A byte between `$'` and `'`. Shells read at most three octal digits, so a following digit is not taken for
/// part of the escape.
private func escaped(_ byte: UInt8) -> String {
  switch byte {
  case UInt8(ascii: "'"), UInt8(ascii: "\\"): return "\\" + String(Unicode.Scalar(byte))
  case 0x20..<0x7F: return String(Unicode.Scalar(byte))
  default:
    let octal = String(byte, radix: 8)
    return "\\" + String(repeating: "0", count: 3 - octal.count) + octal
  }
}
