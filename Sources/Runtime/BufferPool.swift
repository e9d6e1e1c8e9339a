import CRuntime
import Glibc

/// Memory for floats, kept from step to step.
///
/// A training step takes and returns the same sizes over and over. Handing the same blocks out
/// again keeps memory flat and spares the page faults of fresh memory. Blocks are aligned for SIMD
/// and hold whatever they held before.
package enum BufferPool {
  /// Idle blocks by their size in floats.
  ///
  /// Addresses instead of pointers, which are not Sendable.
  private static let idle = Monitor<[Int: [UInt]]>([:])

  /// Sizes are rounded up to whole cache lines.
  private static func roundedUp(_ count: Int) -> Int { max(16, (count + 15) & ~15) }

  /// A block of at least `count` floats.
  package static func take(_ count: Int) -> UnsafeMutablePointer<Float> {
    let size = roundedUp(count)
    if let address = idle.withLock({ $0[size]?.popLast() }),
      let block = UnsafeMutablePointer<Float>(bitPattern: address)
    {
      return block
    }
    var memory: UnsafeMutableRawPointer?
    let status = posix_memalign(&memory, 64, size * MemoryLayout<Float>.stride)
    guard status == 0, let memory else {
      vqvae_out_of_memory(size * MemoryLayout<Float>.stride)
    }
    return memory.bindMemory(to: Float.self, capacity: size)
  }

  /// Gives a block back that ``take(_:)`` handed out for the same `count`.
  package static func giveBack(_ block: UnsafeMutablePointer<Float>, count: Int) {
    let address = UInt(bitPattern: block)
    idle.withLock { $0[roundedUp(count), default: []].append(address) }
  }

}
