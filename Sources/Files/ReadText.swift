import Diagnostics
import Glibc

/// A text and its origin.
package struct TextInput: Sendable {
  package let text: String
  /// The path, or `standard input`.
  package let name: String
  /// Whether `name` is that of a regular file, from which other names can be derived; false for a pipe and
  /// for a descriptor such as `/dev/stdin`.
  package let isNamedFile: Bool
}

/// Reads a whole text file of at most `limit` bytes.
package func readText(_ path: String, limit: Int, advice: String? = nil) throws -> String {
  let (descriptor, status) = try openForReading(path, advice: advice)
  defer { close(descriptor) }
  return try text(of: descriptor, status, path, limit: limit)
}

/// Reads a whole text of at most `limit` bytes from a file, from a pipe, or from standard input if the path
/// is `-`.
///
/// Waits until the writers of a pipe have closed it. Throws for devices, sockets and folders.
package func readTextOrPipe(
  _ path: String, limit: Int, advice: String? = nil
) throws -> TextInput {
  if path == "-" {
    let name = "standard input"
    let status = try checkedStatus(of: STDIN_FILENO, name, allowsPipes: true, advice: advice)
    return TextInput(
      text: try text(of: STDIN_FILENO, status, name, limit: limit), name: name, isNamedFile: false)
  }
  let (descriptor, status) = try openForReading(path, allowsPipes: true, advice: advice)
  defer { close(descriptor) }
  return TextInput(
    text: try text(of: descriptor, status, path, limit: limit), name: path,
    isNamedFile: status.st_mode & S_IFMT == S_IFREG
      && !["/dev/stdin", "/dev/fd/", "/proc/"].contains(where: path.hasPrefix))
}

private func text(
  of descriptor: Int32, _ status: stat, _ name: String, limit: Int
) throws -> String {
  let bytes = try bytes(of: descriptor, status, name, limit: limit)
  if let encoding = otherEncoding(of: bytes) {
    throw Problem(.badData, name, found: "the text is encoded in \(encoding)", expected: "UTF-8")
  }
  guard let text = String(validating: bytes, as: UTF8.self) else {
    throw Problem(.badData, name, found: "the file is not text", expected: "UTF-8")
  }
  return text
}

private func bytes(
  of descriptor: Int32, _ status: stat, _ name: String, limit: Int
) throws -> [UInt8] {
  guard Int(status.st_size) <= limit else {
    throw Problem(
      .badData, name, found: "the file has \(status.st_size) bytes", expected: "at most \(limit)")
  }
  let isPipe = status.st_mode & S_IFMT == S_IFIFO
  // Read to the end: the size is 0 for a pipe and for a file in /proc.
  var bytes: [UInt8] = []
  bytes.reserveCapacity(Int(status.st_size))
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    if isPipe {
      // While no writer has opened the pipe, read would report its end; poll waits for a writer.
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard retryingInterrupts({ poll(&request, 1, -1) }) >= 0 else {
        throw Problem.system("reading", name)
      }
    }
    let count = retryingInterrupts { read(descriptor, &chunk, chunk.count) }
    // EAGAIN after poll: another reader of the pipe was faster.
    if count < 0, isPipe, errno == EAGAIN { continue }
    guard count >= 0 else { throw Problem.system("reading", name) }
    if count == 0 { return bytes }
    bytes += chunk[..<count]
    guard bytes.count <= limit else {
      throw Problem(
        .badData, name, found: "there are more than \(limit) bytes", expected: "at most \(limit)")
    }
  }
}

/// The name of a UTF-16 or UTF-32 encoding, detected by a byte order mark or by the zero bytes of a first
/// ASCII character (YAML 1.2, section 5.2); or nil for other encodings.
func otherEncoding(of bytes: [UInt8]) -> String? {
  let (little, big) = ("little-endian", "big-endian")
  if bytes.starts(with: [0xFF, 0xFE, 0, 0]) { return "UTF-32, \(little)" }
  if bytes.starts(with: [0, 0, 0xFE, 0xFF]) { return "UTF-32, \(big)" }
  if bytes.starts(with: [0xFF, 0xFE]) { return "UTF-16, \(little)" }
  if bytes.starts(with: [0xFE, 0xFF]) { return "UTF-16, \(big)" }
  // UTF-16 and UTF-32 of ASCII have zeros throughout, unlike UTF-8 with a stray NUL.
  let zeros = bytes.count { $0 == 0 }
  guard bytes.count >= 2, zeros * 3 >= bytes.count else { return nil }
  switch (bytes[0] == 0, bytes[1] == 0, bytes.dropFirst(2).prefix(2).map { $0 == 0 }) {
  case (false, true, [true, true]): return "UTF-32, \(little)"
  case (true, true, [true, false]): return "UTF-32, \(big)"
  case (false, true, _): return "UTF-16, \(little)"
  case (true, false, _): return "UTF-16, \(big)"
  default: return nil
  }
}
