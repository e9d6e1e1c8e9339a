import Kernels

/// Which kernels compute: ours, compiled for an instruction set, or OpenBLAS's. Nothing above this module imports the
/// kernels themselves.
package typealias KernelSet = Kernels.KernelSet
