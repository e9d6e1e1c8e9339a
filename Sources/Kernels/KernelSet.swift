import CRuntime
import Glibc
import KernelTypes
import KernelsOpenBLAS
import Synchronization

#if arch(x86_64)
  import KernelsAVX2
  import KernelsAVX512
  import KernelsGeneric
#elseif arch(arm64)
  import KernelsNEON
#else
  import KernelsGeneric
#endif

/// The kernels in use.
package var kernels: any KernelModule.Type { KernelSet.current.module }

/// A choice of kernels: our own for an instruction set, or OpenBLAS's products.
///
/// All but `openblas` give the same bits.
package enum KernelSet: String, CaseIterable, Sendable {
  /// x86-64 with AVX-512: F, BW, CD, DQ and VL (x86-64-v4).
  case avx512
  /// x86-64 with AVX2 and fused multiply-add (x86-64-v3).
  case avx2
  /// 64-bit Arm.
  case neon
  /// Any processor of the build's architecture. Where that has no fused multiply-add, as on x86-64, it is computed
  /// by the C library, which is slow.
  case generic
  /// im2col convolutions and `addmm` distances by OpenBLAS, which has kernels for many processors.
  case openblas

  /// The functions, or nil if this build does not have them: those of another architecture.
  private var table: (any KernelModule.Type)? {
    #if arch(x86_64)
      switch self {
      case .avx512: KernelsAVX512.Module.self
      case .avx2: KernelsAVX2.Module.self
      case .neon: nil
      case .generic: KernelsGeneric.Module.self
      case .openblas: KernelsOpenBLAS.Module.self
      }
    #elseif arch(arm64)
      switch self {
      case .neon: KernelsNEON.Module.self
      case .openblas: KernelsOpenBLAS.Module.self
      default: nil
      }
    #else
      switch self {
      case .generic: KernelsGeneric.Module.self
      case .openblas: KernelsOpenBLAS.Module.self
      default: nil
      }
    #endif
  }

  /// Whether this build has these kernels.
  package var isBuilt: Bool { table != nil }

  /// Whether this build has these kernels, and the processor and the system support their instructions.
  package var isRunnable: Bool {
    guard isBuilt else { return false }
    return switch self {
    case .avx512: vqvae_supports_avx512() != 0
    case .avx2: vqvae_supports_avx2() != 0
    case .neon, .generic, .openblas: true
    }
  }

  package static var runnable: [KernelSet] { allCases.filter(\.isRunnable) }

  /// The set for this processor: the first that has fast multiply-adds, or OpenBLAS.
  package static var best: KernelSet {
    [avx512, avx2, neon].first(where: \.isRunnable) ?? openblas
  }

  /// The functions.
  ///
  /// - Precondition: ``isRunnable``.
  package var module: any KernelModule.Type {
    guard let table else { preconditionFailure("this build has no kernels for \(self)") }
    return table
  }

  // MARK: The choice

  /// The environment variable that names a set.
  package static let variable = "VQVAE_KERNELS"

  /// The name that the environment gives, or nil.
  package static var prescribedName: String? {
    getenv(variable).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Read at every call of a kernel, so not a computed array.
  private static let all = allCases
  private static let chosen = Atomic(index(of: initial))

  private static func index(of set: KernelSet) -> Int { all.firstIndex(of: set)! }

  private static var initial: KernelSet {
    let prescribed = prescribedName.flatMap(KernelSet.init(rawValue:))
    return prescribed.flatMap { $0.isRunnable ? $0 : nil } ?? best
  }

  /// The set in use: the one that the environment names, if it is runnable, else ``best``, until another is chosen.
  package static var current: KernelSet { all[chosen.load(ordering: .relaxed)] }

  /// Changes the set in use. Packed forms are kept for each set; a result of one set's kernels is valid for another.
  ///
  /// - Precondition: `set` is runnable, and no kernel is running.
  package static func use(_ set: KernelSet) {
    precondition(set.isRunnable, "the kernels \(set) do not run here")
    chosen.store(index(of: set), ordering: .relaxed)
  }

  /// Computes with these kernels, for a comparison.
  ///
  /// - Precondition: As for ``use(_:)``; the choice is the process's, not the thread's.
  package func perform<Result>(_ body: () throws -> Result) rethrows -> Result {
    let previous = KernelSet.current
    KernelSet.use(self)
    defer { KernelSet.use(previous) }
    return try body()
  }
}
