/// An upper bound of the columns that a text takes on a terminal.
///
/// Terminals differ in which scalars they join into one character, so the widths of all scalars are added.
/// A family emoji, for example, counts as its members. A line that fits by this rule fits on every terminal.
package func displayWidth(_ text: String) -> Int {
  if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
  return text.unicodeScalars.reduce(0) { $0 + displayWidth($1) }
}

private func displayWidth(_ scalar: Unicode.Scalar) -> Int {
  // The emoji variation selector turns a one-column character into an emoji of two columns.
  if scalar == "\u{FE0F}" { return 1 }
  switch scalar.properties.generalCategory {
  case .nonspacingMark, .enclosingMark: return 0
  case .format: return scalar == "\u{200C}" || scalar == "\u{200D}" ? 0 : 1
  default: break
  }
  if scalar.properties.isEmojiPresentation { return 2 }
  return wide.contains { $0.contains(scalar.value) } ? 2 : 1
}

/// Blocks of East Asian wide and fullwidth characters.
private let wide: [ClosedRange<UInt32>] = [
  0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
  0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
  0x16FE0...0x1B2FF, 0x1F000...0x1FAFF, 0x20000...0x3FFFD,
]
