#ifndef VQVAE_CRUNTIME_H
#define VQVAE_CRUNTIME_H

#include <stddef.h>

// Swift has no condition for the vector extensions that a build is for; its C compiler has.
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

/// Ends the process with exit code 71 and one line that says how many bytes were refused.
__attribute__((noreturn)) void vqvae_out_of_memory(size_t bytes);

/// Has OpenBLAS map the buffers of `count` concurrent callers now, and returns how many it has.
///
/// OpenBLAS maps a buffer on the first call that needs one, and repeats a refused mmap for ever. So each
/// mapping is tried here before OpenBLAS is asked for it. Buffers are kept for later calls.
int vqvae_reserve_blas_buffers(int count);

#endif
