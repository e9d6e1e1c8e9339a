import Glibc

/// A text file that grows line by line, held by one process at a time.
///
/// Lines are collected in memory and written by ``flush()``.
package final class AppendFile {
  package let path: String
  private var descriptor: Int32
  private var pending: [UInt8] = []

  /// Opens a file, or creates it; refuses one that another process holds.
  package init(_ path: String) throws {
    self.path = path
    descriptor = try Self.open(path)
  }

  deinit { close(descriptor) }

  private static func open(_ path: String) throws -> Int32 {
    // O_NONBLOCK: opening a pipe would wait for its reader.
    let descriptor = retryingInterrupts {
      Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o644)
    }
    guard descriptor >= 0 else {
      throw Problem(.cannotCreate, path, found: "the file cannot be opened: \(systemMessage())")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw Problem(
        .cannotCreate, path, found: "another process is writing this file",
        advice: "A run folder takes one training process; name another with --run.")
    }
    // Between opening and locking, whoever held the file may have put another in its place.
    var (held, present) = (stat(), stat())
    guard fstat(descriptor, &held) == 0, stat(path, &present) == 0, held.st_ino == present.st_ino,
      held.st_dev == present.st_dev
    else {
      close(descriptor)
      return try open(path)
    }
    return descriptor
  }

  package func append(line: String) { pending += Array(line.utf8) + [newline] }

  /// Writes what has been appended. After an error the file is as it was before, and the lines are
  /// dropped.
  package func flush() throws {
    let bytes = pending
    pending.removeAll(keepingCapacity: true)
    guard !bytes.isEmpty else { return }
    let size = lseek(descriptor, 0, SEEK_END)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { bytes in
        retryingInterrupts { write(descriptor, bytes.baseAddress! + done, bytes.count - done) }
      }
      if count < 0 {
        let problem = Problem.system("writing", path)
        // Half a line would spoil the next one.
        if size >= 0 { ftruncate(descriptor, size) }
        throw problem
      }
      done += count
    }
  }

  /// Keeps only the lines for which `isKept` says true. The new content takes the place of the old one
  /// at once, or not at all.
  package func filter(limit: Int, _ isKept: (String) -> Bool) throws {
    try flush()
    let text = try readText(path, limit: limit)
    let kept = text.utf8.split(separator: newline).compactMap { String($0) }.filter(isKept)
      .map { $0 + "\n" }.joined()
    guard kept != text else { return }
    try AtomicFile.write(path, text: kept)
    close(descriptor)
    descriptor = try Self.open(path)
  }
}

private let newline = UInt8(ascii: "\n")
