#ifndef VQVAE_COPENBLAS_SHIM_H
#define VQVAE_COPENBLAS_SHIM_H

// LAPACKE's complex types are not used, and its C99 macros do not import into Swift.
#include <cblas.h>
#include <lapacke.h>

// Whether this processor runs OpenBLAS's AVX-512 (SkylakeX) kernels.
static inline int vqvae_cpu_has_avx512(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
#else
  return 0;
#endif
}

#endif
