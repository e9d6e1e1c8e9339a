import Diagnostics
import Glibc

/// Whether something exists at a path.
///
/// Only ENOENT and ENOTDIR mean that nothing does. Throws if the system cannot tell (no permission to search
/// a folder, a failing disk, a stale mount): treating that as absence would make a run start over.
package func fileExists(_ path: String) throws -> Bool { try status(of: path) != nil }

/// Whether a folder exists at a path. Throws like ``fileExists(_:)``.
package func isFolder(_ path: String) throws -> Bool {
  try status(of: path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
}

/// Whether a folder has no entries. Throws like ``fileExists(_:)``, and if there is no folder.
package func isEmptyFolder(_ path: String) throws -> Bool {
  guard let directory = opendir(path) else { throw Problem.opening(path) }
  defer { closedir(directory) }
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
    if name != [UInt8(ascii: ".")], name != [UInt8(ascii: "."), UInt8(ascii: ".")] { return false }
  }
  return true
}

private func status(of path: String) throws -> stat? {
  var status = stat()
  if retryingInterrupts({ stat(path, &status) }) == 0 { return status }
  let code = errno
  if code == ENOENT || code == ENOTDIR { return nil }
  throw Problem.opening(path, code)
}

/// Creates a folder and its missing parents.
package func createFolder(_ path: String) throws {
  var built = path.hasPrefix("/") ? "/" : ""
  for part in path.split(separator: "/") {
    built += (built.isEmpty || built.hasSuffix("/") ? "" : "/") + part
    if retryingInterrupts({ mkdir(built, 0o755) }) != 0 && errno != EEXIST {
      throw Problem.creating(built, "the folder cannot be created")
    }
  }
  guard try isFolder(path) else {
    throw Problem(.cannotCreate, path, found: "this is a file", expected: "a folder")
  }
}

/// Moves what is at a path to a free name beside it, `PATH.old-N`. Returns the new path, or nil on failure.
package func moveAside(_ path: String) -> String? {
  for number in 1...1000 {
    let place = "\(path).old-\(number)"
    guard (try? fileExists(place)) == false else { continue }
    return rename(path, place) == 0 ? place : nil
  }
  return nil
}

/// Whether an open file is the one at a path.
func isSame(_ descriptor: Int32, _ path: String) -> Bool {
  var (held, present) = (stat(), stat())
  return fstat(descriptor, &held) == 0 && stat(path, &present) == 0
    && held.st_ino == present.st_ino && held.st_dev == present.st_dev
}

/// The kind of a file in words, for messages.
func fileKind(_ mode: mode_t) -> String {
  switch mode & S_IFMT {
  case S_IFREG: "a file"
  case S_IFDIR: "a folder"
  case S_IFIFO: "a pipe"
  case S_IFSOCK: "a socket"
  default: "a device"
  }
}
