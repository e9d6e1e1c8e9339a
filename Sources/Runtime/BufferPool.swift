import CRuntime
import Glibc

/// Memory for floats that is reused from step to step.
///
/// Every training step takes and gives back blocks of the same sizes. Reusing them keeps the memory use
/// constant and avoids the page faults of fresh memory. Blocks are aligned to 64 bytes and are not
/// initialized.
package enum BufferPool {
  /// The blocks of one size.
  private struct Blocks {
    /// Addresses of idle blocks. (Pointers are not Sendable.)
    var idle: [UInt] = []
    var inUse = 0
    /// The most blocks in use at once since the last ``startMeasuring()``.
    var peak = 0

    mutating func take() -> UInt? {
      inUse += 1
      peak = max(peak, inUse)
      return idle.popLast()
    }

    mutating func giveBack(_ address: UInt) {
      inUse -= 1
      idle.append(address)
    }
  }

  /// By size in floats.
  private static let blocks = Monitor<[Int: Blocks]>([:])

  /// Rounds a number of floats up to whole cache lines.
  private static func roundedUp(_ count: Int) -> Int { max(16, (count + 15) & ~15) }

  /// Takes a block of at least `count` floats; allocates one if none of that size is idle. Ends the process
  /// with exit code 71 if memory is exhausted.
  package static func take(_ count: Int) -> UnsafeMutablePointer<Float> {
    let size = roundedUp(count)
    if let address = blocks.withLock({ $0[size, default: Blocks()].take() }),
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
    blocks.withLock { $0[roundedUp(count), default: Blocks()].giveBack(address) }
  }

  // MARK: Measuring

  /// Forgets the peaks so far.
  package static func startMeasuring() {
    blocks.withLock { blocks in
      for size in blocks.keys { blocks[size]!.peak = blocks[size]!.inUse }
    }
  }

  /// The bytes that a process would have allocated which began at the last ``startMeasuring()``, with the
  /// blocks that were in use then: for every size, the most blocks in use at once.
  package static var peakBytes: Int {
    blocks.withLock {
      $0.reduce(0) { $0 + $1.key * $1.value.peak * MemoryLayout<Float>.stride }
    }
  }
}
