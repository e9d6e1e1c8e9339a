import ArgumentParser
import Files
import Glibc
import Kernels

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
    Processor.useBestKernels()
    BLAS.useOneThread()
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

/// What is done once, before anything else, for the processor the program finds itself on.
private enum Processor {
  private static let variable = "OPENBLAS_CORETYPE"

  /// Starts the program anew where OpenBLAS has better kernels for this processor than it chose.
  ///
  /// OpenBLAS reads the variable when it is loaded, which is before this program's first line. Whoever
  /// sets the variable keeps the last word.
  static func useBestKernels() {
    guard getenv(variable) == nil, let core = BLAS.betterCoreName else { return }
    setenv(variable, core, 1)
    execv("/proc/self/exe", CommandLine.unsafeArgv)
    // Without /proc the program goes on with the kernels it has.
  }
}
