import Diagnostics
import Glibc

/// A folder that one process at a time works in.
///
/// The lock is on the folder itself, so it does not go with a file that somebody deletes there. It ends
/// with the object, or with the process.
package final class FolderLock: Sendable {
  private let descriptor: Int32

  /// Throws where another process holds the folder.
  package init(_ folder: String) throws {
    let descriptor = retryingInterrupts { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw Problem.opening(folder) }
    guard retryingInterrupts({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 else {
      let code = errno
      close(descriptor)
      throw code == EWOULDBLOCK
        ? Problem(
          .cannotCreate, folder, found: "another process is training in this folder",
          advice: "A run folder takes one training process; name another with --run.")
        : Problem.system("locking", folder, code)
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}

/// Whether an open file is the one that a path leads to.
func isSame(_ descriptor: Int32, _ path: String) -> Bool {
  var (held, present) = (stat(), stat())
  return fstat(descriptor, &held) == 0 && stat(path, &present) == 0
    && held.st_ino == present.st_ino && held.st_dev == present.st_dev
}
