import Diagnostics
import Files
import Glibc

/// The standard descriptors, which the process inherits from its parent.
enum StandardDescriptors {
  /// Occupies those of the descriptors 0, 1 and 2 that are closed. Otherwise a file that is opened later
  /// would get the number of one of them, and results or messages would be written into it.
  static func occupy() {
    for descriptor in STDIN_FILENO...STDERR_FILENO
    where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      // The lowest free number is this one. The root folder always exists, and writing to it fails with
      // EBADF, as it does with a closed descriptor.
      guard open("/", O_RDONLY | O_DIRECTORY) == descriptor else {
        exit(ExitStatus.outOfMemory.rawValue)
      }
    }
  }
}
