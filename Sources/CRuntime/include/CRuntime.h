#ifndef VQVAE_CRUNTIME_H
#define VQVAE_CRUNTIME_H

#include <stddef.h>

// Swift cannot test which vector extensions a build targets; its C compiler can.
#ifdef __AVX512F__
#define VQVAE_HAS_AVX512 1
#else
#define VQVAE_HAS_AVX512 0
#endif
#if defined(__AVX2__) && defined(__FMA__)
#define VQVAE_HAS_AVX2 1
#else
#define VQVAE_HAS_AVX2 0
#endif

/// Ends the process with exit code 71 and a one-line message with the number of bytes requested.
__attribute__((noreturn)) void vqvae_out_of_memory(size_t bytes);

/// Makes OpenBLAS map the buffers of `count` concurrent callers now; returns the number that it could map.
///
/// OpenBLAS maps a buffer on the first call that needs one, and retries a failed mmap forever. Therefore each
/// mapping is tried here first. OpenBLAS keeps the buffers for later calls.
int vqvae_reserve_blas_buffers(int count);

#endif
