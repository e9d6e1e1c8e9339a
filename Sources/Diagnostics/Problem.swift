/// The exit codes of the program, after `sysexits.h` and the shells' convention for signals.
package enum ExitStatus: Int32, Sendable, CaseIterable {
  case success = 0
  case failure = 1
  case usage = 64
  case badData = 65
  case missingInput = 66
  case diverged = 70
  case outOfMemory = 71
  case cannotCreate = 73
  case inputOutput = 74
  case abandoned = 75
  case badConfiguration = 78
  case hungUp = 129
  case interrupted = 130
  case terminated = 143

  package var meaning: String {
    switch self {
    case .success: "done"
    case .failure: "an internal error"
    case .usage: "wrong flags or arguments"
    case .badData: "a data set, checkpoint or image file is invalid or corrupt"
    case .missingInput: "an input file or folder does not exist or may not be read"
    case .diverged: "training stopped because a number was not finite"
    case .outOfMemory: "out of memory, threads or file descriptors"
    case .cannotCreate: "a file or folder cannot be created, or already exists"
    case .inputOutput: "reading or writing failed, for instance on a full disk"
    case .abandoned: "stopped by a second signal, without saving"
    case .badConfiguration: "the configuration has errors"
    case .hungUp: "stopped by SIGHUP: before the first step, or after saving"
    case .interrupted: "stopped by SIGINT (Ctrl-C): before the first step, or after saving"
    case .terminated: "stopped by SIGTERM: before the first step, or after saving"
    }
  }
}

/// An error outside the program: in a file, a folder, a flag or a number.
package struct Problem: Error, Sendable, Equatable {
  package let status: ExitStatus
  /// The path, flag or field with the problem.
  package let subject: String
  /// What was found, as a phrase that follows the subject and a colon.
  package let found: String
  package let expected: String?
  package let advice: String?

  package init(
    _ status: ExitStatus, _ subject: String, found: String, expected: String? = nil,
    advice: String? = nil
  ) {
    self.status = status
    self.subject = subject
    self.found = found
    self.expected = expected
    self.advice = advice
  }
}

extension Problem: CustomStringConvertible {
  /// `subject: found; expected …`, with the advice on a second line.
  package var description: String {
    var text = "\(subject): \(found)"
    if let expected { text += "; expected \(expected)" }
    if let advice { text += "\n  \(advice)" }
    return text
  }
}
