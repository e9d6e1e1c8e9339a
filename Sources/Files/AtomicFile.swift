import Glibc
import Synchronization

/// Writes files that are there whole or not at all.
package enum AtomicFile {
  /// Writes a file next to its place, brings it to the disk, and moves it there.
  ///
  /// After an error, or a crash at any instant, what stood at `path` before still stands there.
  package static func write(_ path: String, _ body: (borrowing Writer) throws -> Void) throws {
    let (folder, name) = split(path)
    try requireReplaceable(path)
    // A name of its own for each writer, or two writers of one file would mix their bytes.
    let number = writers.wrappingAdd(1, ordering: .relaxed).oldValue
    let partial = "\(folder)/.\(name).\(getpid())-\(number)\(partialSuffix)"
    let descriptor = retryingInterrupts {
      unlink(partial)
      return open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
    }
    guard descriptor >= 0 else {
      throw Problem(
        .cannotCreate, path, found: "the file cannot be created: \(systemMessage())",
        advice: isFolder(folder) ? nil : "There is no folder \(folder).")
    }
    var isOpen = true
    do {
      try body(Writer(descriptor: descriptor, path: path))
      if retryingInterrupts({ fsync(descriptor) }) != 0 { throw Problem.system("saving", path) }
      isOpen = false
      if close(descriptor) != 0 { throw Problem.system("saving", path) }
      if rename(partial, path) != 0 { throw Problem.system("renaming", path) }
    } catch {
      if isOpen { close(descriptor) }
      unlink(partial)
      throw error
    }
    try synchronizeFolder(folder)
  }

  /// Removes what writers that were killed left in a folder. No other process may be writing there.
  package static func removeLeftovers(in folder: String) {
    guard let directory = opendir(folder) else { return }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasPrefix("."), name.hasSuffix(partialSuffix) { unlink("\(folder)/\(name)") }
    }
  }

  private static let partialSuffix = ".partial"
  private static let writers = Atomic(0)

  /// A folder cannot be replaced by a file, and a pipe or a device should not be.
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

  /// Where the bytes of a new file go.
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

  /// A rename is on the disk when its folder is.
  private static func synchronizeFolder(_ folder: String) throws {
    let descriptor = retryingInterrupts { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw Problem.system("saving", folder) }
    defer { close(descriptor) }
    // Some file systems cannot synchronize a folder, and say so.
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

/// Creates a folder and those above it that are missing.
package func createFolder(_ path: String) throws {
  var built = path.hasPrefix("/") ? "/" : ""
  for part in path.split(separator: "/") {
    built += (built.isEmpty || built.hasSuffix("/") ? "" : "/") + part
    if mkdir(built, 0o755) != 0 && errno != EEXIST {
      throw Problem(
        .cannotCreate, built, found: "the folder cannot be created: \(systemMessage())")
    }
  }
  if !isFolder(path) {
    throw Problem(.cannotCreate, path, found: "this is a file", expected: "a folder")
  }
}
