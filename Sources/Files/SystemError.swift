import Diagnostics
import Glibc

/// The system's message for an error code.
func systemMessage(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

extension Problem {
  /// A failed system call, with the code from `errno`.
  static func system(_ action: String, _ path: String, _ code: Int32 = errno) -> Problem {
    Problem(
      status(of: code) ?? .inputOutput, path, found: "\(action) failed: \(systemMessage(code))")
  }

  /// An input that could not be opened, or a path whose status could not be read.
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

  /// The exit code of an error that is about the machine, not the path; or nil for other errors.
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
