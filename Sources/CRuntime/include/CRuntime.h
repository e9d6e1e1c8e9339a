#ifndef VQVAE_CRUNTIME_H
#define VQVAE_CRUNTIME_H

#include <stddef.h>

/// Whether the processor and the system support AVX-512 as of x86-64-v4.
int vqvae_supports_avx512(void);
/// Whether they support AVX2 and fused multiply-add as of x86-64-v3.
int vqvae_supports_avx2(void);

/// Ends the process with exit code 71 and a one-line message with the number of bytes requested.
__attribute__((noreturn)) void vqvae_out_of_memory(size_t bytes);

/// Makes OpenBLAS map the buffers of `count` concurrent callers now; returns the number that it could map.
///
/// OpenBLAS maps a buffer on the first call that needs one, and retries a failed mmap forever. Therefore each
/// mapping is tried here first. OpenBLAS keeps the buffers for later calls.
int vqvae_reserve_blas_buffers(int count);

#endif
