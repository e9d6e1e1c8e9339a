import ArgumentParser
import Files
import Glibc

@main
struct Program: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vqvae",
    abstract: "Trains vector-quantized autoencoders on the processor.",
    discussion: """
      Exit codes:
      \(ExitStatus.allCases.map { "  \($0.rawValue)\t\($0.meaning)" }.joined(separator: "\n"))
      """,
    version: "0.1.0",
    subcommands: [TrainCommand.self, EvalCommand.self, ReconstructCommand.self])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as any UserFacingError {
      Terminal.error(error.description)
      Glibc.exit(error.status.rawValue)
    } catch {
      exit(withError: error)
    }
  }
}
