import Diagnostics
import Glibc

/// A text file that grows line by line, held by one process at a time.
///
/// Lines are collected in memory and written by ``flush()``.
package final class AppendFile {
  package let path: String
  /// Where something was moved that was in the way of the file, such as a folder; nil if nothing was.
  package private(set) var movedAside: String?
  /// Whether the file was deleted or replaced while it was open, and begun anew.
  package private(set) var wasReplaced = false
  private var descriptor: Int32
  private var pending: [UInt8] = []

  /// Opens a file, or creates it; refuses one that another process holds. What is not a file (a folder, a
  /// pipe, a link that leads nowhere), or is gigantic, is moved aside.
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

  /// Whether there is something at a path that can never be appended to. What the system refuses for
  /// another reason may be a good file.
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
    // O_NONBLOCK: opening a pipe would wait for its reader. O_RDWR: a pipe opened for writing alone and
    // without a reader fails, and one opened for both is recognised below.
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
        advice: "A run folder takes one training process; name another with --run.")
    }
    // Between opening and locking, whoever held the file may have put another in its place.
    guard isSame(descriptor, path) else {
      close(descriptor)
      guard attempts > 1 else {
        throw Problem(.inputOutput, path, found: "the file does not stay in its place")
      }
      return try open(path, attempts: attempts - 1)
    }
    return descriptor
  }

  package func append(line: String) { pending += Array(line.utf8) + [newline] }

  /// Writes what has been appended. After an error the file is as it was before, and the lines wait for
  /// the next call.
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
        // Half a line would spoil the next one.
        if size >= 0 { ftruncate(descriptor, size) }
        throw problem
      }
      done += count
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// Whether the path leads to another file, or to none. If the system does not say, it does not.
  private var isReplaced: Bool {
    var (held, present) = (stat(), stat())
    guard fstat(descriptor, &held) == 0 else { return false }
    if stat(path, &present) != 0 { return errno == ENOENT || errno == ENOTDIR }
    return held.st_ino != present.st_ino || held.st_dev != present.st_dev
  }

  /// Goes on with the file that is at the path now.
  private func reopen() throws {
    let new = try Self.open(path)
    close(descriptor)
    descriptor = new
  }

  /// Brings what has been written to the disk.
  package func synchronize() throws {
    if retryingInterrupts({ fsync(descriptor) }) != 0 { throw Problem.system("saving", path) }
  }

  /// Keeps only the lines for which `isKept` says true, reading the file in pieces. The new content takes
  /// the place of the old one at once, or not at all; a file that is kept whole is not touched.
  ///
  /// - Parameter isKept: told the bytes of each line without its end, and whether it has an end; a line of
  ///   over ``maximumLine`` bytes is dropped without a question.
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
        // Nobody else writes here; a line that has come all the same is kept.
        guard let line, number >= decisions.count || decisions[number] else { return }
        kept += line
        kept.append(newline)
        if kept.count > Self.pieceSize {
          try file.append(kept)
          kept.removeAll(keepingCapacity: true)
        }
      }
      try file.append(kept)
    }
    try reopen()
  }

  /// A larger file, such as a sparse one, is moved aside: reading it could take hours.
  private static let maximumSize = 4 << 30
  /// The longest line that a filter looks at.
  package static let maximumLine = 1 << 20
  private static let pieceSize = 1 << 16

  /// Reads the file from its beginning in pieces.
  ///
  /// - Parameter body: told each line, or nil in place of one that is too long, and whether it ends.
  private func forEachLine(_ body: ([UInt8]?, _ isComplete: Bool) throws -> Void) throws {
    var piece = [UInt8](repeating: 0, count: Self.pieceSize)
    var line: [UInt8] = []
    var isTooLong = false
    var offset = 0
    while true {
      let count = piece.withUnsafeMutableBytes { piece in
        retryingInterrupts { pread(descriptor, piece.baseAddress!, piece.count, off_t(offset)) }
      }
      if count < 0 { throw Problem.system("reading", path) }
      if count == 0 { break }
      offset += count
      var rest = piece[..<count]
      while let end = rest.firstIndex(of: newline) {
        line += rest[..<end]
        try body(isTooLong || line.count > Self.maximumLine ? nil : line, true)
        line.removeAll(keepingCapacity: true)
        isTooLong = false
        rest = rest[(end + 1)...]
      }
      line += rest
      if line.count > Self.maximumLine {
        isTooLong = true
        line.removeAll()
      }
    }
    if isTooLong { try body(nil, false) } else if !line.isEmpty { try body(line, false) }
  }
}

/// Moves whatever is at a path to a free name beside it, and returns that name; nil if that fails.
package func moveAside(_ path: String) -> String? {
  for number in 1...1000 {
    let place = "\(path).old-\(number)"
    guard (try? fileExists(place)) == false else { continue }
    return rename(path, place) == 0 ? place : nil
  }
  return nil
}

private let newline = UInt8(ascii: "\n")
