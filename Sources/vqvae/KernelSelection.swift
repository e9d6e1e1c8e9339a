import BLAS
import Diagnostics
import Tensors
import TerminalText

/// The choice of kernels: those that `VQVAE_KERNELS` names, else those of the configuration, else the fastest for the
/// processor. The environment comes first, because a configuration may have been written on another machine.
enum KernelSelection {
  /// Throws a `Problem` if the environment names kernels that are not to be had.
  static func checkEnvironment() throws {
    guard let name = KernelSet.prescribedName else { return }
    let subject = visible("\(KernelSet.variable)=\(name)")
    guard let choice = KernelSet(rawValue: name) else {
      throw Problem(
        .usage, subject, found: "there are no kernels of this name",
        expected: names(KernelSet.runnable))
    }
    try require(choice, of: subject, or: .usage)
  }

  /// Uses the kernels that a configuration names, unless the environment names some.
  static func use(_ configured: KernelSet?) throws {
    guard let configured, KernelSet.prescribedName == nil else { return }
    try require(configured, of: "training.kernels: \(configured)", or: .badConfiguration)
    KernelSet.use(configured)
  }

  private static func require(
    _ choice: KernelSet, of subject: String, or status: ExitStatus
  ) throws {
    guard choice.isRunnable else {
      throw Problem(
        status, subject,
        found: choice.isBuilt
          ? "this processor or system does not support these instructions"
          : "this build is for another kind of processor",
        expected: names(KernelSet.runnable),
        advice: "Leave it out to use the fastest that run here.")
    }
  }

  private static func names(_ choices: [KernelSet]) -> String {
    "one of " + choices.map(\.rawValue).joined(separator: ", ")
  }

  /// The kernels in use, such as `avx2 kernels (VQVAE_KERNELS)`; for OpenBLAS with the core that it chose.
  static var summary: String {
    let inUse = KernelSet.current
    var reasons: [String] = []
    if inUse == .openblas {
      reasons.append(
        "core \(BLAS.coreName)"
          + (BLAS.prescribedCoreName == nil ? "" : ", set by OPENBLAS_CORETYPE"))
    }
    if KernelSet.prescribedName != nil { reasons.append(KernelSet.variable) }
    return "\(inUse) kernels" + (reasons.isEmpty ? "" : " (\(reasons.joined(separator: "; ")))")
  }
}
