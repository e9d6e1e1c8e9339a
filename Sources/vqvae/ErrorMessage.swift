import ArgumentParser
import Configurations
import Diagnostics
import Files
import TerminalText
import Training

/// The text of an error and the program's exit status. Names and values can have any length, so each part is
/// truncated, and the text that follows it is still read.
struct ErrorMessage {
  let text: String
  let status: Int32

  /// Characters of a part, such as a name or a line.
  private static let partLimit = 1000
  init(_ error: ConfigurationError) {
    // Lines of `file:line:column: error:`, the format of compilers, which editors follow.
    let shown = error.faults.map {
      ConfigurationError.Fault(place: Self.part($0.place), message: Self.part($0.message))
    }
    text = ConfigurationError(shown).description
    status = error.status.rawValue
  }

  init(_ problem: Problem) {
    let shown = Problem(
      problem.status, Self.part(problem.subject), found: Self.part(problem.found),
      expected: problem.expected.map(Self.part),
      advice: problem.advice.map { truncated($0, to: Self.partLimit) })
    text = "vqvae: error: \(shown)"
    status = problem.status.rawValue
  }

  init(_ error: any UserFacingError) {
    text = "vqvae: error: " + truncated(error.description, to: 4 * Self.partLimit)
    status = error.status.rawValue
  }

  /// - Parameter text: ArgumentParser's message, which can contain the user's words.
  init(usage text: String, arguments: [String], status: ExitStatus = .usage) {
    // Option names and values also occur separately.
    let words = arguments.flatMap { [$0] + $0.split(separator: "=").map(String.init) }
    self.text = words.reduce(text) { text, word in
      let shown = Self.part(word)
      return shown == word ? text : text.replacing(word, with: shown)
    }
    self.status = status.rawValue
  }

  private static func part(_ text: String) -> String { truncated(visible(text), to: partLimit) }
}

/// Invalid flags that are found only after parsing. The text includes the usage of the command.
struct UsageError: Error {
  let text: String

  init(_ message: String, of command: any ParsableCommand.Type) {
    let name = command.configuration.commandName ?? ""
    // ArgumentParser knows the parents of a command only while it parses.
    text = command.fullMessage(for: ValidationError(message))
      .replacing("See '\(name) ", with: "See 'vqvae \(name) ")
  }
}
