import KernelTypes

// These sources are compiled once for each instruction set, by the targets `Kernels…` of Package.swift, which are
// links to this folder. A condition names the module; it decides the size of the register tile and whether matrix
// products are OpenBLAS's, and nothing else.
//
// Functions here take pointers and use neither arrays nor existentials: the linker merges equal specialisations of the
// standard library's generic code from several modules, and would run one compiled for AVX-512 on every processor.
// scripts/check_kernels.sh finds them.

/// The kernels of one module.
package enum Module: KernelModule {
  package static var fastestConvolution: ConvolutionAlgorithm {
    usesOpenBLAS ? .im2col : .winograd
  }
}

/// Whether matrix products are OpenBLAS's. Then convolutions are im2col, and distances `addmm`.
@inline(__always)
var usesOpenBLAS: Bool {
  #if KERNELS_OPENBLAS
    return true
  #else
    return false
  #endif
}

/// Whether there are 32 registers of 512 bits, for the larger register tile.
@inline(__always)
var hasWideRegisters: Bool {
  #if KERNELS_AVX512
    return true
  #else
    return false
  #endif
}
