import BLAS
import Diagnostics
import Tensors
import TerminalText

/// The choice of kernels: those that `VQVAE_KERNELS` names, else those of the configuration, else the fastest for the
/// processor. The environment comes first, because a configuration may have been written on another machine.
enum KernelSelection {
  /// Throws a `Problem` if the environment names kernels that are not to be had.
  static func checkEnvironment() throws {
    guard let name = KernelChoice.prescribedName else { return }
    let subject = visible("\(KernelChoice.variable)=\(name)")
    guard let choice = KernelChoice(rawValue: name) else {
      throw Problem(
        .usage, subject, found: "there are no kernels of this name",
        expected: names(KernelChoice.available))
    }
    try require(choice, of: subject, or: .usage)
  }

  /// Uses the kernels that a configuration names, unless the environment names some.
  static func use(_ configured: KernelChoice?) throws {
    guard let configured, KernelChoice.prescribedName == nil else { return }
    try require(configured, of: "training.kernels: \(configured)", or: .badConfiguration)
    KernelChoice.use(configured)
  }

  private static func require(
    _ choice: KernelChoice, of subject: String, or status: ExitStatus
  ) throws {
    guard choice.isRunnable else {
      throw Problem(
        status, subject,
        found: choice.isBuilt
          ? "this processor or system does not support these instructions"
          : "this build is for another kind of processor",
        expected: names(KernelChoice.available),
        advice: "Leave it out to use the fastest that run here.")
    }
  }

  private static func names(_ choices: [KernelChoice]) -> String {
    "one of " + choices.map(\.rawValue).joined(separator: ", ")
  }

  /// The kernels in use, such as `avx2 kernels (VQVAE_KERNELS)`; for OpenBLAS with the core that it chose.
  static var summary: String {
    let inUse = KernelChoice.inUse
    var reasons: [String] = []
    if inUse == .openblas {
      reasons.append(
        "core \(BLAS.coreName)"
          + (BLAS.prescribedCoreName == nil ? "" : ", set by OPENBLAS_CORETYPE"))
    }
    if KernelChoice.prescribedName != nil { reasons.append(KernelChoice.variable) }
    return "\(inUse) kernels" + (reasons.isEmpty ? "" : " (\(reasons.joined(separator: "; ")))")
  }
}
