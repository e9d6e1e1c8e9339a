import CRuntime
import Glibc

/// Memory for floats that is reused from step to step.
///
/// Every training step takes and gives back blocks of the same sizes. Reusing them keeps the memory use
/// constant and avoids the page faults of fresh memory. Blocks are aligned to 64 bytes and are not
/// initialized.
package enum BufferPool {
  /// Addresses of idle blocks by size in floats. (Pointers are not Sendable.)
  private static let idle = Monitor<[Int: [UInt]]>([:])

  /// Rounds a number of floats up to whole cache lines.
  private static func roundedUp(_ count: Int) -> Int { max(16, (count + 15) & ~15) }

  /// Takes a block of at least `count` floats; allocates one if none of that size is idle. Ends the process
  /// with exit code 71 if memory is exhausted.
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

  /// Gives back a block that ``take(_:)`` returned for the same `count`.
  package static func giveBack(_ block: UnsafeMutablePointer<Float>, count: Int) {
    let address = UInt(bitPattern: block)
    idle.withLock { $0[roundedUp(count), default: []].append(address) }
  }
}
