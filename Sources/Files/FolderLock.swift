import Diagnostics
import Glibc

/// An exclusive lock on a folder, so that only one process at a time works in it.
///
/// The folder itself is locked, not a file in it, so deleting files does not release the lock. It is
/// released when the object is destroyed or the process ends.
package final class FolderLock: Sendable {
  private let descriptor: Int32

  /// Throws if another process has locked the folder.
  package init(_ folder: String) throws {
    let descriptor = retryingInterrupts { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw Problem.opening(folder) }
    guard retryingInterrupts({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 else {
      let code = errno
      close(descriptor)
      throw code == EWOULDBLOCK
        ? Problem(
          .cannotCreate, folder, found: "another process is training in this folder",
          advice: "Only one process may train in a run folder; choose another with --run.")
        : Problem.system("locking", folder, code)
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
