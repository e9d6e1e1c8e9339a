import Kernels

/// Exact sums over many pixels, from which their variance is computed.
package struct PixelMoments: Sendable, Equatable {
  package private(set) var count = 0
  package private(set) var sum: UInt64 = 0
  package private(set) var squares: UInt64 = 0

  package init() {}

  /// Adds the bytes of one image.
  package mutating func add(_ bytes: some Collection<UInt8>) {
    let added: Void? = bytes.withContiguousStorageIfAvailable { bytes in
      // In chunks whose sums fit the kernel's 32 bits.
      for start in stride(from: 0, to: bytes.count, by: 65_536) {
        let chunk = min(65_536, bytes.count - start)
        let moments = kernels.pixelMoments(bytes.baseAddress! + start, count: chunk)
        sum += UInt64(moments.sum)
        squares += UInt64(moments.squares)
      }
      count += bytes.count
    }
    precondition(added != nil, "the pixels must be contiguous in memory")
  }

  /// The variance of the pixels scaled to 0…1; it is the same for −0.5…0.5.
  package var variance: Double {
    guard count > 0 else { return 0 }
    let mean = Double(sum) / Double(count)
    return (Double(squares) / Double(count) - mean * mean) / (255 * 255)
  }
}
