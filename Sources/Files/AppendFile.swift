import Glibc

/// A text file that grows line by line, held by one process at a time.
///
/// Lines are collected in memory and written by ``flush()``.
package final class AppendFile {
  package let path: String
  private let descriptor: Int32
  private var pending: [UInt8] = []

  /// Opens a file, or creates it; refuses one that another process holds.
  package init(_ path: String) throws {
    let descriptor = retryingInterrupts {
      open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    }
    guard descriptor >= 0 else {
      throw Problem(
        .cannotCreate, path, found: "the file cannot be opened: \(systemMessage())")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw Problem(
        .cannotCreate, path, found: "another process is writing this file",
        advice: "A run folder takes one training process; name another with --run.")
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  package func append(line: String) { pending += Array(line.utf8) + [UInt8(ascii: "\n")] }

  /// Writes what has been appended. What an error leaves unwritten is dropped, so that a line is not
  /// written twice.
  package func flush() throws {
    let bytes = pending
    pending.removeAll(keepingCapacity: true)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { bytes in
        retryingInterrupts { write(descriptor, bytes.baseAddress! + done, bytes.count - done) }
      }
      if count < 0 { throw Problem.system("writing", path) }
      done += count
    }
  }

  /// Replaces the content by the lines for which `isKept` says true.
  package func filter(limit: Int, _ isKept: (String) -> Bool) throws {
    let kept = try readText(path, limit: limit).split(separator: "\n").map(String.init)
      .filter(isKept)
    guard ftruncate(descriptor, 0) == 0 else { throw Problem.system("truncating", path) }
    for line in kept { append(line: line) }
    try flush()
  }
}
