import Diagnostics
import Glibc

/// The system's words for the last error.
func systemMessage(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

extension Problem {
  /// What the system refused, from `errno`.
  static func system(_ action: String, _ path: String, _ code: Int32 = errno) -> Problem {
    Problem(
      status(of: code) ?? .inputOutput, path, found: "\(action) failed: \(systemMessage(code))")
  }

  /// An input that could not be opened, or a path that could not be looked at.
  static func opening(_ path: String, _ code: Int32 = errno, advice: String? = nil) -> Problem {
    code == ENOENT || code == ENOTDIR
      ? Problem(.missingInput, path, found: "no such file", advice: advice)
      : Problem(
        status(of: code) ?? .missingInput, path, found: "cannot be read: \(systemMessage(code))")
  }

  /// A file or folder that could not be created.
  static func creating(
    _ path: String, _ found: String, _ code: Int32 = errno, advice: String? = nil
  ) -> Problem {
    Problem(
      status(of: code) ?? .cannotCreate, path, found: "\(found): \(systemMessage(code))",
      advice: advice)
  }

  /// The exit code of errors that say something about the machine and not about the path.
  private static func status(of code: Int32) -> ExitStatus? {
    switch code {
    case EMFILE, ENFILE, ENOMEM: .outOfMemory
    case EIO, ESTALE, ENOSPC, EDQUOT, EFBIG: .inputOutput
    default: nil
    }
  }
}

/// Repeats a system call that a signal interrupted.
func retryingInterrupts<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
