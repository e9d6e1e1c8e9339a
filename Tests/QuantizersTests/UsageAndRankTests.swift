import Glibc
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

@Suite("Codebook usage and effective rank")
struct UsageAndRankTests {
  private func usage(_ indices: [Int32], validCount: Int? = nil) -> CodebookUsage {
    CodebookUsage(
      "quantizer", codewords: 4, codes: Codes([indices.count], indices),
      validCount: validCount ?? indices.count)
  }

  @Test("perplexity is 1 for one codeword, and K for K codewords of equal frequency")
  func extremes() {
    #expect(usage([2, 2, 2]).perplexity == 1)
    #expect(abs(usage([0, 1, 2, 3]).perplexity - 4) < 1e-12)
    #expect(usage([]).perplexity == 0)
    #expect(usage([0, 0, 1, 3]).used == 3)
  }

  @Test("perplexity is exp of the entropy in nats")
  func formula() {
    let p = [0.5, 0.25, 0.25]
    let entropy = -p.reduce(0) { $0 + $1 * log($1) }
    #expect(abs(usage([0, 0, 1, 3]).perplexity - exp(entropy)) < 1e-12)
  }

  @Test("padding is not counted")
  func padding() {
    #expect(usage([0, 1, 3, 3], validCount: 2).counts == [1, 1, 0, 0])
  }

  @Test("with several codes per position, each slot is counted separately")
  func slots() {
    let codes = Codes([3, 2], [0, 5, 1, 5, 1, 4])
    let usage = [4, 6].enumerated().map { slot, codewords in
      CodebookUsage(
        "q.\(slot)", codewords: codewords, codes: codes, validCount: 2, slot: slot, slots: 2)
    }
    #expect(usage.map(\.counts) == [[1, 1, 0, 0], [0, 0, 0, 0, 0, 2]])
  }

  /// The mean of the batches' perplexities is 1 in the first case, and 2.5 in the second.
  @Test("the perplexity of a set is that of its summed counts, not the mean of its batches'")
  func sets() {
    var sum = usage([0, 0, 0, 0])
    sum += usage([1, 1, 1, 1])
    #expect(abs(sum.perplexity - 2) < 1e-12)
    #expect(sum.total == 8)

    var mixed = usage([0, 1, 2, 3])
    mixed += usage(Array(repeating: 0, count: 96))
    #expect(mixed.perplexity < 1.5)
  }

  @Test("the effective rank is 0 for a point, 1 for a line, and D for D evenly filled directions")
  func rank() throws {
    let point = Tensor([3, 2], [1, 2, 1, 2, 1, 2])
    #expect(effectiveRank(ofRows: point) == 0)
    let line = Tensor([3, 2], [0, 0, 1, 2, 2, 4])
    #expect(abs(try #require(effectiveRank(ofRows: line)) - 1) < 1e-6)
    let cross = Tensor([4, 2], [1, 0, -1, 0, 0, 1, 0, -1])
    #expect(abs(try #require(effectiveRank(ofRows: cross)) - 2) < 1e-9)
    #expect(effectiveRank(ofRows: Tensor([1, 2], [.nan, 0])) == nil)
  }
}
