import TerminalText

/// A text of unknown origin as a message shows it: control characters made visible, and cut at a length.
package func excerpt(_ text: String, limit: Int = 80) -> String {
  truncated(visible(text), to: limit)
}
