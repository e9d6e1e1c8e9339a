/// Breaks a text between words into lines of at most `width` columns. Lines after the first are indented. A
/// wider word gets a line of its own.
package func wrapped(_ text: String, width: Int, indent: Int = 2) -> [String] {
  var lines = Lines(width: width, indent: indent)
  var gap = 0
  for word in text.split(separator: " ", omittingEmptySubsequences: false) {
    if !word.isEmpty { lines.append(String(word), after: gap) }
    gap = word.isEmpty ? gap + 1 : 1
  }
  return lines.finished
}

/// Breaks a line between fields, such as `loss 0.5`, and within a field only if it does not fit on a line.
package func wrapped(_ fields: [String], separator: Int = 2, width: Int, indent: Int = 2)
  -> [String]
{
  var lines = Lines(width: width, indent: indent)
  for (i, field) in fields.enumerated() {
    let gap = i == 0 ? 0 : separator
    if displayWidth(field) <= width - indent {
      lines.append(field, after: gap)
    } else {
      for (j, word) in field.split(separator: " ").enumerated() {
        lines.append(String(word), after: j == 0 ? gap : 1)
      }
    }
  }
  return lines.finished
}

/// The leading words of a text that fit in `width` columns.
package func leadingWords(_ text: String, width: Int) -> String {
  let first = wrapped(text, width: width, indent: 0).first ?? ""
  return displayWidth(first) <= width ? first : ""
}

private struct Lines {
  let width: Int
  let indent: Int
  private var done: [String] = []
  private var line = ""
  private var columns = 0

  init(width: Int, indent: Int) {
    (self.width, self.indent) = (width, indent)
  }

  var finished: [String] { done + [line] }

  mutating func append(_ word: String, after gap: Int) {
    let isFirst = done.isEmpty && line.isEmpty
    var gap = gap
    let size = displayWidth(word)
    if !isFirst, columns + gap + size > width {
      done.append(line)
      (line, columns, gap) = ("", 0, indent)
    }
    line += String(repeating: " ", count: gap) + word
    columns += gap + size
  }
}
