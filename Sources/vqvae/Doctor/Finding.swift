import Diagnostics

/// What a check of `doctor` found.
struct Finding {
  enum State: String, Encodable {
    case ok
    /// Training works, but slower, or otherwise than one may expect.
    case warning
    /// Training here ends with an exit code.
    case fault
  }

  let state: State
  let value: String
  /// What to do, unless the state is ok.
  let advice: String?
  /// The exit code that training would end with.
  let status: ExitStatus

  private init(_ state: State, _ value: String, _ advice: String?, _ status: ExitStatus) {
    (self.state, self.value, self.advice, self.status) = (state, value, advice, status)
  }

  static func ok(_ value: String) -> Finding { Finding(.ok, value, nil, .success) }

  static func warning(_ value: String, advice: String) -> Finding {
    Finding(.warning, value, advice, .success)
  }

  static func fault(_ status: ExitStatus, _ value: String, advice: String) -> Finding {
    Finding(.fault, value, advice, status)
  }

  /// The message that a command would end with.
  static func fault(_ problem: Problem) -> Finding {
    let message = Problem(
      problem.status, problem.subject, found: problem.found, expected: problem.expected)
    return .fault(
      problem.status, message.description,
      advice: problem.advice ?? "Make it as expected, and run vqvae doctor again.")
  }
}

/// A check of `doctor`: a name, and a function that looks.
struct Check {
  let name: String
  let find: () throws -> Finding

  init(_ name: String, _ find: @escaping () throws -> Finding) {
    (self.name, self.find) = (name, find)
  }
}
