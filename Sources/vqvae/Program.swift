import ArgumentParser
import Files
import Glibc
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
    version: "0.1.0",
    subcommands: [
      TrainCommand.self, EvalCommand.self, ReconstructCommand.self, BenchCommand.self,
    ])

  static func main() {
    StandardDescriptors.occupy()
    // Whoever reads the output may go first, as tee does on Ctrl-C; the run is saved all the same. A
    // limit on the size of files becomes an error of writing.
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as ConfigurationError {
      // Lines of `file:line:column: error:`, as compilers have them and editors follow them.
      Terminal.complain(error.description)
      Glibc.exit(error.status.rawValue)
    } catch let error as any UserFacingError {
      Terminal.complain("vqvae: error: " + error.description)
      Glibc.exit(error.status.rawValue)
    } catch {
      exit(withError: error)
    }
  }
}
