import Glibc
import Tensors

/// How often each codeword was chosen.
///
/// The perplexity of a whole set is that of its summed counts; the mean of its batches' perplexities
/// is at most that.
package struct CodebookUsage: Sendable, Equatable {
  /// One count for each codeword.
  package private(set) var counts: [Int]

  package init(codewords: Int) { counts = Array(repeating: 0, count: codewords) }

  /// - Parameter codes: `leading` of them count, in order; the others are padding.
  package init(codewords: Int, codes: Codes, leading: Int) {
    self.init(codewords: codewords)
    for code in codes.indices.prefix(leading) where code != Codes.invalid { counts[Int(code)] += 1 }
  }

  package static func += (a: inout CodebookUsage, b: CodebookUsage) {
    precondition(a.counts.count == b.counts.count, "usages of two codebooks")
    for k in a.counts.indices { a.counts[k] += b.counts[k] }
  }

  /// How many vectors were quantized.
  package var total: Int { counts.reduce(0, +) }

  /// How many codewords were chosen at least once.
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

  /// `exp` of the entropy in nats: as many codewords, chosen equally often, would be as varied.
  package var perplexity: Double { total == 0 ? 0 : exp2(entropy) }
}
