import Diagnostics
import Files
import FoundationEssentials
import Glibc
import TerminalText

/// The program's output: results on standard output, everything else on standard error. Control characters
/// are escaped on both, so that no name can control the terminal.
enum Terminal {
  /// Whether standard error is a terminal.
  private static let isTerminal = isatty(STDERR_FILENO) == 1

  /// Whether standard error is a terminal that can rewrite its line.
  static let isInteractive = isTerminal && getenv("TERM").map { String(cString: $0) } != "dumb"

  /// The current number of columns of standard error, 80 if it is unknown; or nil if it is not a terminal.
  static var columns: Int? { isTerminal ? width : nil }

  /// The terminal's current number of columns, or 80 if it is unknown.
  private static var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  // MARK: Standard error

  /// Writes a note; on a terminal, it is wrapped between words.
  static func note(_ text: String) {
    let text = visible(text, keeping: ["\n"])
    guard isTerminal else { return write(lines: [text]) }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    write(lines: lines.flatMap { wrapped(String($0), width: width) })
  }

  /// Writes a note of fields such as `nmse 0.5`; on a terminal, it is wrapped between fields.
  static func note(fields: [String]) {
    let fields = fields.map { visible($0) }
    write(
      lines: isTerminal ? wrapped(fields, width: width) : [fields.joined(separator: "  ")])
  }

  /// Writes a command to be copied, which is never wrapped.
  static func command(_ words: [String]) { write(lines: ["  " + words.joined(separator: " ")]) }

  /// Writes an error; see ``ErrorMessage`` for its text. It is not wrapped, so that editors can follow its
  /// positions.
  static func error(_ text: String) { write(lines: [visible(text, keeping: ["\n", "\t"])]) }

  /// Replaces the current line of the terminal; does nothing unless ``isInteractive``.
  ///
  /// - Parameter line: returns a line of at most `width` columns.
  static func rewrite(_ line: (_ width: Int) -> String) {
    guard isInteractive else { return }
    // On some terminals, a cursor after the last column is on the next line.
    let text = visible(line(max(0, width - 1)))
    _ = write("\r\u{1B}[K" + text, to: STDERR_FILENO)
  }

  static func clearLine() { rewrite { _ in "" } }

  /// Ignores failures, since there is no place to report that standard error cannot be written.
  private static func write(lines: [String]) {
    _ = write(lines.map { $0 + "\n" }.joined(), to: STDERR_FILENO)
  }

  // MARK: Standard output

  /// Writes a result, completely or not at all.
  ///
  /// It is not an error if the reader of a pipe has gone: it wanted no more.
  ///
  /// - Parameters:
  ///   - text: lines without the final newline. Newlines and tabs are not escaped here, so the caller has to
  ///     escape those in names.
  ///   - advice: what to tell the user if the result cannot be written.
  static func result(_ text: String, advice: String? = nil) throws {
    guard let code = writeWhole(visible(text, keeping: ["\n", "\t"]) + "\n"), code != EPIPE else {
      return
    }
    throw Problem(
      .inputOutput, "standard output", found: "writing failed: \(String(cString: strerror(code)))",
      advice: advice)
  }

  /// Writes lines of fields, separated by tabs.
  static func result(rows: [[String]], advice: String? = nil) throws {
    try result(
      rows.map { $0.map { visible($0) }.joined(separator: "\t") }.joined(separator: "\n"),
      advice: advice)
  }

  /// Writes a result as one JSON object.
  static func result(json value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try result(visibleJSON(String(decoding: try encoder.encode(value), as: UTF8.self)))
  }

  /// Writes to standard output; returns the error's code, or nil. If standard output is a file and the text
  /// cannot be written completely, what was written is removed: it could be mistaken for the whole.
  private static func writeWhole(_ text: String) -> Int32? {
    let descriptor = STDOUT_FILENO
    var before = stat()
    let isFile = fstat(descriptor, &before) == 0 && before.st_mode & S_IFMT == S_IFREG
    let appends = fcntl(descriptor, F_GETFL) & O_APPEND != 0
    let start = appends ? before.st_size : lseek(descriptor, 0, SEEK_CUR)
    let (written, failure) = write(text, to: descriptor)
    if let failure {
      var after = stat()
      // Only if the file ends with our bytes.
      if isFile, fstat(descriptor, &after) == 0, after.st_size == start + off_t(written) {
        ftruncate(descriptor, start)
      }
      return failure
    }
    // Network file systems report a full disk when a descriptor is closed.
    let copy = dup(descriptor)
    return copy >= 0 && close(copy) != 0 && errno != EINTR ? errno : nil
  }

  /// Writes a text; returns the number of bytes written, and the error's code or nil.
  private static func write(_ text: String, to descriptor: Int32) -> (Int, Int32?) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + done, $0.count - done)
      }
      if count < 0 {
        switch errno {
        case EINTR: continue
        case EAGAIN:
          // Another process made the pipe or terminal non-blocking.
          var place = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&place, 1, -1)
          continue
        case let code: return (done, code)
        }
      }
      done += count
    }
    return (done, nil)
  }
}
