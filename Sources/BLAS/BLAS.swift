import COpenBLAS
import CRuntime
import Glibc

/// Facts about the OpenBLAS that this process uses, and its settings.
package enum BLAS {
  /// The kernels that OpenBLAS chose for this processor, such as `Haswell` or `SkylakeX`.
  package static var coreName: String { String(cString: openblas_get_corename()) }

  /// The core that `OPENBLAS_CORETYPE` sets instead of OpenBLAS's own choice, or nil.
  package static var prescribedCoreName: String? {
    getenv("OPENBLAS_CORETYPE").map { String(cString: $0) }
  }

  /// OpenBLAS's own description: version, build options, core.
  package static var description: String { String(cString: openblas_get_config()) }

  /// ``description`` without blanks at the end. It begins with `OpenBLAS` and the version.
  package static var versionLine: String {
    description.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// What OpenBLAS was built on for threads of its own.
  package static var threading: String {
    switch openblas_get_parallel() {
    case 0: "without threads"
    case 1: "with pthreads"
    default: "with OpenMP"
    }
  }

  /// Whether OpenBLAS was built on OpenMP.
  ///
  /// That build ignores ``useOneThread()`` unless `OMP_NUM_THREADS=1` is in the environment.
  package static var isOpenMPBuild: Bool { openblas_get_parallel() == 2 }

  /// How many threads may call this OpenBLAS at once. It is built for a fixed number of concurrent callers;
  /// beyond that it can deadlock.
  package static var maximumCallers: Int {
    let key = "MAX_THREADS="
    let word = description.split(separator: " ").first { $0.hasPrefix(key) }
    return word.flatMap { Int($0.dropFirst(key.count)) } ?? 64
  }

  /// Allocates OpenBLAS's buffers for up to `callers` concurrent callers, and returns the number of callers
  /// that there is memory for. If there is not enough for one, the process exits with code 71.
  package static func reserveBuffers(callers: Int) -> Int {
    let count = Int(vqvae_reserve_blas_buffers(CInt(clamping: callers)))
    if count == 0 { vqvae_out_of_memory(128 << 20) }
    return count
  }

  /// Makes every BLAS call run on its calling thread, because the worker pool has the threads.
  package static func useOneThread() {
    openblas_set_num_threads(1)
  }

  /// How many threads a call may use: 1 after ``useOneThread()``, unless OpenBLAS ignores it.
  package static var threadCount: Int { Int(openblas_get_num_threads()) }
}
