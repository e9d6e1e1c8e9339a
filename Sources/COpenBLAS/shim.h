#ifndef VQVAE_COPENBLAS_SHIM_H
#define VQVAE_COPENBLAS_SHIM_H

#include <cblas.h>
#include <lapacke.h>

#endif
