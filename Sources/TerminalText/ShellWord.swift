/// A word as a shell reads it, in quotation marks where it needs them.
package func shellWord(_ word: String) -> String { shellWord(Array(word.utf8)) }

/// A word of any bytes. Control characters, and bytes that are not UTF-8, become octal escapes.
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

/// A byte between `$'` and `'`. Octal escapes have at most three digits, so that the next byte cannot be
/// taken for a part of one.
private func escaped(_ byte: UInt8) -> String {
  switch byte {
  case UInt8(ascii: "'"), UInt8(ascii: "\\"): return "\\" + String(Unicode.Scalar(byte))
  case 0x20..<0x7F: return String(Unicode.Scalar(byte))
  default:
    let octal = String(byte, radix: 8)
    return "\\" + String(repeating: "0", count: 3 - octal.count) + octal
  }
}
