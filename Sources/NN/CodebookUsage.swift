import Glibc
import Tensors

/// How often each code of a codebook was chosen.
///
/// The perplexity of a whole set is that of its summed counts. The mean of its batches' perplexities differs,
/// and may be smaller or larger.
package struct CodebookUsage: Sendable, Equatable {
  /// The latent, followed by the number of the slot if a position has several codes.
  package let name: String
  /// One count for each code.
  package private(set) var counts: [Int]

  /// - Parameter codewords: how many values a code can have, K.
  package init(_ name: String, codewords: Int) {
    self.name = name
    counts = Array(repeating: 0, count: codewords)
  }

  /// The usage in some codes.
  ///
  /// - Parameters:
  ///   - validCount: how many positions are counted, from the first; the others are padding.
  ///   - slot: which of the codes of each position.
  ///   - slots: how many codes a position has; they lie next to each other.
  package init(
    _ name: String, codewords: Int, codes: Codes, validCount: Int, slot: Int = 0, slots: Int = 1
  ) {
    self.init(name, codewords: codewords)
    for position in 0..<validCount {
      let code = codes.indices[position * slots + slot]
      if code != Codes.invalid { counts[Int(code)] += 1 }
    }
  }

  package static func += (a: inout CodebookUsage, b: CodebookUsage) {
    precondition(a.counts.count == b.counts.count, "usages of two codebooks")
    for k in a.counts.indices { a.counts[k] += b.counts[k] }
  }

  /// The number of valid codes that were counted.
  package var total: Int { counts.reduce(0, +) }

  /// How many codes were chosen at least once.
  package var used: Int { counts.count { $0 > 0 } }

  /// The entropy of the codes in bits.
  package var entropy: Double {
    let total = Double(total)
    return counts.reduce(0) { sum, count in
      guard count > 0 else { return sum }
      let p = Double(count) / total
      return sum - p * log2(p)
    }
  }

  /// `exp` of the entropy in nats: the number of codes that, chosen equally often, have this entropy.
  package var perplexity: Double { total == 0 ? 0 : exp2(entropy) }
}
