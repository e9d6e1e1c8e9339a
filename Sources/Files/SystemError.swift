import Glibc

/// The system's words for the last error.
func systemMessage(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

extension Problem {
  /// What the system refused, from `errno`.
  static func system(_ action: String, _ path: String, _ code: Int32 = errno) -> Problem {
    Problem(.inputOutput, path, found: "\(action) failed: \(systemMessage(code))")
  }
}

/// Repeats a system call that a signal interrupted.
func retryingInterrupts<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
