import ArgumentParser
import Configurations
import Diagnostics
import Files
import Glibc
import TerminalText
import Training

@main
struct Program: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vqvae",
    abstract: "Trains vector-quantized autoencoders on the processor.",
    discussion: """
      Exit codes:
      \(ExitStatus.allCases.map { "  \($0.rawValue)\t\($0.meaning)" }.joined(separator: "\n"))
      """,
    version: VersionReport.text,
    subcommands: [
      DemoCommand.self, TrainCommand.self, EvalCommand.self, ReconstructCommand.self,
      BenchCommand.self, DoctorCommand.self,
    ])

  static func main() {
    StandardDescriptors.occupy()
    // SIGPIPE: our reader, such as tee, may exit first on Ctrl-C, and the checkpoint must still be written.
    // SIGXFSZ: exceeding a limit on the size of files becomes a write error.
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
    StopSignal.prepare()
    do {
      try requireText()
      try KernelSelection.checkEnvironment()
      var command = try parseAsRoot()
      try command.run()
    } catch let error as ConfigurationError {
      leave(ErrorMessage(error))
    } catch let error as Problem {
      leave(ErrorMessage(error))
    } catch let error as any UserFacingError {
      leave(ErrorMessage(error))
    } catch let error as UsageError {
      leave(ErrorMessage(usage: error.text, arguments: CommandLine.arguments))
    } catch {
      leave(error)
    }
  }

  /// Refuses arguments that are not UTF-8: `CommandLine.arguments` has repaired them, so that they would name
  /// other files.
  private static func requireText() throws {
    for i in 1..<max(1, Int(CommandLine.argc)) {
      guard let word = CommandLine.unsafeArgv[i], String(validatingCString: word) == nil else {
        continue
      }
      throw Problem(
        .usage, visible(bytes(of: word)), found: "this argument is not UTF-8",
        expected: "paths and values in UTF-8")
    }
  }

  /// The name by which the program was called, quoted for a shell.
  static var commandName: String {
    CommandLine.unsafeArgv[0].map { shellWord(bytes(of: $0)) } ?? "vqvae"
  }

  private static func bytes(of word: UnsafePointer<CChar>) -> [UInt8] {
    UnsafeRawBufferPointer(start: word, count: strlen(word)).map(\.self)
  }

  private static func leave(_ message: ErrorMessage) -> Never {
    Terminal.error(message.text)
    Glibc.exit(message.status)
  }

  /// Exits as ArgumentParser would, except that it reports help, a version or a completion script that cannot
  /// be written, which ArgumentParser ignores.
  private static func leave(_ error: any Error) -> Never {
    let text = fullMessage(for: error)
    let status = exitCode(for: error)
    if status != .success {
      if !text.isEmpty {
        Terminal.error(ErrorMessage(usage: text, arguments: CommandLine.arguments).text)
      }
      Glibc.exit(status.rawValue)
    }
    do {
      try Terminal.result(text)
    } catch let error as Problem {
      leave(ErrorMessage(error))
    } catch {
      Glibc.exit(ExitStatus.failure.rawValue)
    }
    Glibc.exit(status.rawValue)
  }
}
