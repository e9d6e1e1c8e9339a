import Glibc

/// The two ways out: results on standard output, everything else on standard error.
enum Terminal {
  /// Whether standard error is a terminal that can rewrite its line.
  static let isInteractive =
    isatty(STDERR_FILENO) == 1 && getenv("TERM").map { String(cString: $0) } != "dumb"

  /// The columns of the terminal, 80 where it does not say.
  static var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  static func note(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

  /// Says what went wrong. Control characters, which file names and files may bring in, are shown as
  /// U+FFFD.
  static func complain(_ message: String) {
    let clean = message.unicodeScalars.map { scalar in
      scalar.properties.generalCategory == .control && scalar != "\n" ? "\u{FFFD}" : scalar
    }
    note(String(String.UnicodeScalarView(clean)))
  }

  static func result(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

  /// Replaces the present line of a terminal.
  static func rewrite(_ line: String) {
    write("\r\u{1B}[K" + String(line.prefix(max(0, width - 1))), to: STDERR_FILENO)
  }

  private static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno != EINTR { return }
      bytes = bytes.dropFirst(max(0, count))
    }
  }
}

/// A number with a fixed count of decimals.
func fixed(_ value: Double, _ decimals: Int) -> String {
  formatted("%.*f", [Int32(decimals), value])
}

/// A number with two significant digits and a power of ten.
func scientific(_ value: Double) -> String { formatted("%.1e", [value]) }

private func formatted(_ format: String, _ arguments: [any CVarArg]) -> String {
  var buffer = [CChar](repeating: 0, count: 400)
  let length = withVaList(arguments) { vsnprintf(&buffer, buffer.count, format, $0) }
  return String(
    decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A duration as hours, minutes and seconds.
func clockTime(_ seconds: Double) -> String {
  let total = Int(min(max(seconds, 0), 1e9).rounded())
  let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
  func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
}
