import Kernels

/// Which kernels compute: ours, compiled for an instruction set, or OpenBLAS's.
///
/// All but `openblas` give the same bits.
package typealias KernelChoice = Kernels.KernelSet

extension KernelChoice {
  /// The choices that run on this processor.
  package static var available: [KernelChoice] { runnable }

  /// The kernels in use.
  package static var inUse: KernelChoice { current }
}
