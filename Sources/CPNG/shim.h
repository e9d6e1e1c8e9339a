#ifndef VQVAE_CPNG_SHIM_H
#define VQVAE_CPNG_SHIM_H

#include <png.h>

// Function-like and cast macros do not import into Swift.
static const png_uint_32 vqvae_png_image_version = PNG_IMAGE_VERSION;
static const png_uint_32 vqvae_png_format_rgb = PNG_FORMAT_RGB;

#endif
