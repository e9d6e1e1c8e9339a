#ifndef VQVAE_COPENBLAS_SHIM_H
#define VQVAE_COPENBLAS_SHIM_H

#include <cblas.h>
#include <lapacke.h>

// Swift has no condition for the vector extensions that a build is for; its C compiler has.
#ifdef __AVX512F__
#define VQVAE_HAS_AVX512 1
#else
#define VQVAE_HAS_AVX512 0
#endif

#endif
