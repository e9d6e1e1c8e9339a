import COpenBLAS

/// What is known of the OpenBLAS that this process runs on.
package enum BLAS {
  /// The kernels that OpenBLAS chose for this processor, such as `Haswell` or `SkylakeX`.
  package static var coreName: String { String(cString: openblas_get_corename()) }

  /// OpenBLAS's own description: version, build options, core.
  package static var description: String { String(cString: openblas_get_config()) }

  /// Whether OpenBLAS was built on OpenMP.
  ///
  /// That build ignores ``useOneThread()`` unless `OMP_NUM_THREADS=1` is in the environment.
  package static var isOpenMPBuild: Bool { openblas_get_parallel() == 2 }

  /// Makes every BLAS call run on the thread that makes it; our own workers are the threads.
  package static func useOneThread() {
    openblas_set_num_threads(1)
  }

  /// How many threads a call may use: 1 after ``useOneThread()`` where OpenBLAS obeys.
  package static var threadCount: Int { Int(openblas_get_num_threads()) }

  /// A value of `OPENBLAS_CORETYPE` that serves this processor better than OpenBLAS's own choice.
  ///
  /// OpenBLAS releases older than the processor take AVX2 kernels on AVX-512 machines they do not
  /// know (0.3.21 on Zen 5: 119 GFLOP/s a core instead of 230). OpenBLAS reads the variable when it
  /// is loaded, so it takes effect in a process started with it.
  package static var betterCoreName: String? {
    ["Haswell", "Zen"].contains(coreName) && vqvae_cpu_has_avx512() != 0 ? "SkylakeX" : nil
  }
}
