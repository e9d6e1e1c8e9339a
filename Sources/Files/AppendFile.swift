import Diagnostics
import Glibc

/// A text file that grows line by line, held by one process at a time.
///
/// Lines are collected in memory and written by ``flush()``.
package final class AppendFile {
  package let path: String
  /// The new path of an obstacle, such as a folder, that was moved out of the file's way; or nil if there
  /// was none.
  package private(set) var movedAside: String?
  /// Whether the file was deleted or replaced while it was open, and was reopened or created again.
  package private(set) var wasReplaced = false
  private var descriptor: Int32
  private var pending: [UInt8] = []

  /// Opens or creates a file and locks it. Throws if another process has locked it.
  ///
  /// Anything at the path that cannot be used is moved aside: a folder, a pipe, a dangling link, or a file
  /// over 4 GiB.
  package init(_ path: String) throws {
    self.path = path
    do {
      descriptor = try Self.open(path)
    } catch let problem as Problem {
      guard Self.isObstacle(path), let place = moveAside(path) else { throw problem }
      movedAside = place
      descriptor = try Self.open(path)
    }
  }

  /// Whether something exists at a path that can never be appended to. If opening failed for any other
  /// reason, such as permissions, the file may be good, and this is false.
  private static func isObstacle(_ path: String) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else { return false }
    func isUsable(_ status: stat) -> Bool {
      status.st_mode & S_IFMT == S_IFREG && status.st_size <= maximumSize
    }
    if status.st_mode & S_IFMT != S_IFLNK { return !isUsable(status) }
    if stat(path, &status) == 0 { return !isUsable(status) }
    return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
  }

  deinit { close(descriptor) }

  private static func open(_ path: String, attempts: Int = 100) throws -> Int32 {
    // O_NONBLOCK: opening a pipe would otherwise wait for a reader. O_RDWR: opening a pipe for writing only
    // fails without a reader; opened for both, it is recognised below.
    let descriptor = retryingInterrupts {
      Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o644)
    }
    guard descriptor >= 0 else { throw Problem.creating(path, "the file cannot be opened") }
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      close(descriptor)
      throw Problem(
        .cannotCreate, path, found: "this is \(fileKind(status.st_mode))", expected: "a file")
    }
    guard status.st_size <= maximumSize else {
      close(descriptor)
      throw Problem(
        .cannotCreate, path, found: "the file has \(status.st_size) bytes",
        expected: "at most \(maximumSize)")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      close(descriptor)
      throw Problem(
        .cannotCreate, path, found: "another process is writing this file",
        advice: "Only one process may train in a run folder; choose another with --run.")
    }
    // Between opening and locking, the previous holder may have replaced the file.
    guard isSame(descriptor, path) else {
      close(descriptor)
      guard attempts > 1 else {
        throw Problem(.inputOutput, path, found: "the file keeps being replaced")
      }
      return try open(path, attempts: attempts - 1)
    }
    return descriptor
  }

  package func append(line: String) { pending += Array(line.utf8) + [newline] }

  /// Writes all pending lines. After an error, the file is unchanged and the lines stay pending for the
  /// next call.
  package func flush() throws {
    let bytes = pending
    guard !bytes.isEmpty else { return }
    if isReplaced {
      try reopen()
      wasReplaced = true
    }
    let size = lseek(descriptor, 0, SEEK_END)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { bytes in
        retryingInterrupts { write(descriptor, bytes.baseAddress! + done, bytes.count - done) }
      }
      if count < 0 {
        let problem = Problem.system("writing", path)
        // Remove a partial line, which would otherwise merge with the next one.
        if size >= 0 { ftruncate(descriptor, size) }
        throw problem
      }
      done += count
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// Whether the path now leads to another file or to none; false if the system cannot tell.
  private var isReplaced: Bool {
    var (held, present) = (stat(), stat())
    guard fstat(descriptor, &held) == 0 else { return false }
    if stat(path, &present) != 0 { return errno == ENOENT || errno == ENOTDIR }
    return held.st_ino != present.st_ino || held.st_dev != present.st_dev
  }

  /// Continues with the file that is at the path now.
  private func reopen() throws {
    let new = try Self.open(path)
    close(descriptor)
    descriptor = new
  }

  /// Flushes the written data to the disk (fsync).
  package func synchronize() throws {
    if retryingInterrupts({ fsync(descriptor) }) != 0 { throw Problem.system("saving", path) }
  }

  /// Keeps only the lines for which `isKept` returns true, reading the file in chunks. The new content
  /// replaces the old atomically; if every line is kept, the file is not touched.
  ///
  /// - Parameter isKept: takes the bytes of a line without its newline, and whether the newline is there.
  ///   Lines over ``maximumLineLength`` bytes are dropped without calling it.
  package func filter(_ isKept: (_ line: [UInt8], _ isComplete: Bool) -> Bool) throws {
    try flush()
    var decisions: [Bool] = []
    var isChanged = false
    try forEachLine { line, isComplete in
      let decision = line.map { isKept($0, isComplete) } ?? false
      decisions.append(decision)
      isChanged = isChanged || !decision || !isComplete
    }
    guard isChanged else { return }
    try AtomicFile.write(path) { file in
      var number = 0
      var kept: [UInt8] = []
      try forEachLine { line, _ in
        defer { number += 1 }
        // The lock keeps other writers out; a line that was added nevertheless is kept.
        guard let line, number >= decisions.count || decisions[number] else { return }
        kept += line
        kept.append(newline)
        if kept.count > Self.chunkSize {
          try file.append(kept)
          kept.removeAll(keepingCapacity: true)
        }
      }
      try file.append(kept)
    }
    try reopen()
  }

  /// In bytes. A larger file, such as a sparse one, is moved aside, because reading it could take hours.
  private static let maximumSize = 4 << 30
  /// In bytes, without the newline. ``filter(_:)`` drops longer lines.
  package static let maximumLineLength = 1 << 20
  private static let chunkSize = 1 << 16

  /// Reads the file from its beginning in chunks.
  ///
  /// - Parameter body: takes each line, or nil in place of a line that is too long, and whether the line
  ///   ends in a newline.
  private func forEachLine(_ body: ([UInt8]?, _ isComplete: Bool) throws -> Void) throws {
    var chunk = [UInt8](repeating: 0, count: Self.chunkSize)
    var line: [UInt8] = []
    var isTooLong = false
    var offset = 0
    while true {
      let count = chunk.withUnsafeMutableBytes { chunk in
        retryingInterrupts { pread(descriptor, chunk.baseAddress!, chunk.count, off_t(offset)) }
      }
      if count < 0 { throw Problem.system("reading", path) }
      if count == 0 { break }
      offset += count
      var rest = chunk[..<count]
      while let end = rest.firstIndex(of: newline) {
        line += rest[..<end]
        try body(isTooLong || line.count > Self.maximumLineLength ? nil : line, true)
        line.removeAll(keepingCapacity: true)
        isTooLong = false
        rest = rest[(end + 1)...]
      }
      line += rest
      if line.count > Self.maximumLineLength {
        isTooLong = true
        line.removeAll()
      }
    }
    if isTooLong { try body(nil, false) } else if !line.isEmpty { try body(line, false) }
  }
}

private let newline = UInt8(ascii: "\n")
