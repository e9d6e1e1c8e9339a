import Diagnostics
import Glibc
import Synchronization

/// Writes files atomically: after a write, a file is complete or unchanged.
///
/// The bytes go to a temporary file beside the target, `.vqvae-PID-N.partial`. The name does not contain the
/// target's, so the target may have the longest name that the file system allows. The writer holds a lock
/// on the temporary file, which distinguishes the files of live processes from those of dead ones.
package enum AtomicFile {
  /// Writes a temporary file beside `path`, flushes it to the disk, and renames it to `path`.
  ///
  /// After an error, or a crash at any instant, `path` has its old content. The one exception is an error
  /// while synchronizing the folder, which follows the rename: then `path` has the new content, and a power
  /// failure may still undo the rename.
  package static func write(_ path: String, _ body: (borrowing Writer) throws -> Void) throws {
    let (folder, _) = split(path)
    try requireReplaceable(path)
    let (partial, descriptor) = try createPartial(in: folder, for: path)
    var isOpen = true
    do {
      try body(Writer(descriptor: descriptor, path: path))
      if retryingInterrupts({ fsync(descriptor) }) != 0 { throw Problem.system("saving", path) }
      if rename(partial, path) != 0 { throw Problem.system("renaming", path) }
      // Closed after the rename, because until then the lock keeps others from removing the file.
      isOpen = false
      if close(descriptor) != 0, errno != EINTR { throw Problem.system("saving", path) }
    } catch {
      if isOpen { close(descriptor) }
      unlink(partial)
      throw error
    }
    try synchronizeFolder(folder)
  }

  /// Creates a temporary file and locks it.
  private static func createPartial(
    in folder: String, for path: String
  ) throws -> (path: String, descriptor: Int32) {
    for _ in 0..<100 {
      // Each writer has its own file, or the bytes of two writers of one target would be mixed.
      let number = writers.wrappingAdd(1, ordering: .relaxed).oldValue
      let partial = "\(folder)/\(partialPrefix)\(getpid())-\(number)\(partialSuffix)"
      let descriptor = retryingInterrupts {
        open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
      }
      guard descriptor >= 0 else {
        let code = errno
        // Left by a dead process with the same PID; removeLeftovers(in:) removes the file.
        if code == EEXIST { continue }
        let isMissing = (try? isFolder(folder)) == false
        throw Problem.creating(
          path, "the file cannot be created", code,
          advice: isMissing ? "There is no folder \(folder)." : nil)
      }
      // Some file systems have no locks; removeLeftovers(in:) removes nothing there.
      flock(descriptor, LOCK_EX | LOCK_NB)
      // Between creation and locking, another process may have removed the file as a leftover.
      if isSame(descriptor, partial) { return (partial, descriptor) }
      close(descriptor)
      unlink(partial)
    }
    throw Problem(
      .cannotCreate, path, found: "no temporary file can be kept in the folder \(folder)")
  }

  /// Removes the temporary files that dead processes left in a folder: those with a name of this program
  /// that no process has locked.
  package static func removeLeftovers(in folder: String) {
    guard let directory = opendir(folder) else { return }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      // Our own names are ASCII, so a name that is not UTF-8 is not ours.
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(validating: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard let name, isPartial(name) else { continue }
      let path = "\(folder)/\(name)"
      let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0, isSame(descriptor, path) { unlink(path) }
    }
  }

  /// Removes leftovers from the folder of `path` (see ``removeLeftovers(in:)``).
  package static func removeLeftovers(beside path: String) {
    removeLeftovers(in: split(path).folder)
  }

  private static let partialPrefix = ".vqvae-"
  private static let partialSuffix = ".partial"
  private static let writers = Atomic(0)

  /// Whether a name is `.vqvae-PID-N.partial`.
  private static func isPartial(_ name: String) -> Bool {
    guard name.hasPrefix(partialPrefix), name.hasSuffix(partialSuffix) else { return false }
    let numbers = name.dropFirst(partialPrefix.count).dropLast(partialSuffix.count)
      .split(separator: "-", omittingEmptySubsequences: false)
    return numbers.count == 2 && numbers.allSatisfy { UInt64($0) != nil }
  }

  /// Throws if `path` is a folder, which `rename` cannot replace, or a pipe, socket or device, which a file
  /// should not replace.
  private static func requireReplaceable(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
    throw Problem(
      .cannotCreate, path, found: "this is \(fileKind(status.st_mode))",
      expected: "the name of a file")
  }

  /// Writes a text file.
  package static func write(_ path: String, text: String) throws {
    try write(path) { try $0.append(Array(text.utf8)) }
  }

  /// Appends bytes to the temporary file.
  package struct Writer: ~Copyable {
    fileprivate let descriptor: Int32
    fileprivate let path: String

    package func append(_ bytes: [UInt8]) throws {
      try bytes.withUnsafeBytes { try append($0) }
    }

    package func append(_ bytes: UnsafeRawBufferPointer) throws {
      var done = 0
      while done < bytes.count {
        let count = retryingInterrupts {
          Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
        }
        if count < 0 { throw Problem.system("writing", path) }
        done += count
      }
    }
  }

  /// Flushes a folder, which makes a rename in it durable.
  private static func synchronizeFolder(_ folder: String) throws {
    let descriptor = retryingInterrupts { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw Problem.system("saving", folder) }
    defer { close(descriptor) }
    // EINVAL: the file system cannot synchronize folders.
    if retryingInterrupts({ fsync(descriptor) }) != 0 && errno != EINVAL {
      throw Problem.system("saving", folder)
    }
  }

  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = path[..<slash]
    return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
  }
}
