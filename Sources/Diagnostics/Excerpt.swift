import TerminalText

/// An untrusted text for a message: control characters are made visible, and it is truncated to `limit`
/// Unicode scalars.
package func excerpt(_ text: String, limit: Int = 80) -> String {
  truncated(visible(text), to: limit)
}
