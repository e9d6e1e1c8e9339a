import Diagnostics
import Glibc

/// Whether something exists at a path.
///
/// Only ENOENT and ENOTDIR mean that nothing does. Whatever else keeps the system from answering (a
/// folder that may not be searched, a disk that fails, a stale mount) is an error: taken for an absence,
/// it would make a run start over.
package func fileExists(_ path: String) throws -> Bool { try status(of: path) != nil }

/// Whether a folder exists at a path. Throws like ``fileExists(_:)``.
package func isFolder(_ path: String) throws -> Bool {
  try status(of: path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
}

private func status(of path: String) throws -> stat? {
  var status = stat()
  if retryingInterrupts({ stat(path, &status) }) == 0 { return status }
  let code = errno
  if code == ENOENT || code == ENOTDIR { return nil }
  throw Problem.opening(path, code)
}

/// Creates a folder and the missing ones above it.
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

/// What a path leads to, in words.
func fileKind(_ mode: mode_t) -> String {
  switch mode & S_IFMT {
  case S_IFREG: "a file"
  case S_IFDIR: "a folder"
  case S_IFIFO: "a pipe"
  case S_IFSOCK: "a socket"
  default: "a device"
  }
}
