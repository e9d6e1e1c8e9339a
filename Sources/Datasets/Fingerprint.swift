/// A hash of a data set's bytes in their order, to detect that a data set has changed.
///
/// Four interleaved multiplicative hashes of 64 bits over words of eight bytes (the mixing step is that of
/// FNV-1a, on words, with a shift), so that hashing is faster than reading. It detects accidental changes; it
/// is not cryptographic.
package struct Fingerprint: Sendable {
  private var lanes: (UInt64, UInt64, UInt64, UInt64) = (
    0xcbf2_9ce4_8422_2325, 0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9
  )
  /// Bytes so far.
  private var count: UInt64 = 0

  package init() {}

  /// Adds one record. The boundaries of records are part of the hash.
  package mutating func add(_ record: UnsafeRawBufferPointer) {
    var (a, b, c, d) = lanes
    var offset = 0
    while offset + 32 <= record.count {
      a = Self.mixed(a, record.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      b = Self.mixed(b, record.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
      c = Self.mixed(c, record.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self))
      d = Self.mixed(d, record.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self))
      offset += 32
    }
    while offset < record.count {
      a = Self.mixed(a, UInt64(record[offset]))
      offset += 1
    }
    lanes = (a, b, c, Self.mixed(d, UInt64(record.count)))
    count += UInt64(record.count)
  }

  private static func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    // An odd multiplier with its bits spread evenly, 2⁶⁴ over the golden ratio.
    let product = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
    return product ^ (product >> 32)
  }

  /// The hash as 16 hexadecimal digits.
  package var digest: String {
    var hash = count
    for lane in [lanes.0, lanes.1, lanes.2, lanes.3] { hash = Self.mixed(hash, lane) }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
