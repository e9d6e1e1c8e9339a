import BLAS
import CBuild
import Tensors

/// The lines of `--version`. Each begins with the name of a fact, and scripts read them: a name is never
/// changed, and new facts follow the others.
enum VersionReport {
  static let version = "0.1.0"

  static var text: String {
    [
      "vqvae \(version)",
      "commit \(commit)",
      "kernels \(KernelSet.current)",
      BLAS.versionLine,
      "Swift \(swift)",
    ].joined(separator: "\n")
  }

  private static var commit: String { vqvae_commit().map { String(cString: $0) } ?? "unknown" }

  /// The version of the compiler. Swift can only ask whether it is at least some version.
  private static var swift: String {
    #if compiler(>=6.5)
      "6.5 or newer"
    #elseif compiler(>=6.4)
      "6.4"
    #elseif compiler(>=6.3.3)
      "6.3.3 or a later 6.3"
    #elseif compiler(>=6.3.2)
      "6.3.2"
    #elseif compiler(>=6.3.1)
      "6.3.1"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }
}
