import BLAS
import Kernels
import Tensors
import TestSupport
import Testing

/// Vectors of large norm among codewords that differ in their last bits.
///
/// `‖z‖² + ‖e‖² − 2·z·e` cancels for them: its error near `2⁻²⁴·‖z‖²` is larger than the differences between
/// the distances, so only an exact comparison finds the nearest codeword.
private struct NearTies {
  let codebook: Tensor
  let vectors: Tensor

  init(vectors count: Int, codewords: Int, width: Int, norm: Float, test: Int) {
    var generator = SeededGenerator(test: test)
    let centre = (0..<width).map { _ in norm * generator.uniform(0.5, 1) }
    // Up to four units in the last place from the centre, in either direction.
    func near() -> [Float] {
      centre.map { $0 + $0.ulp * Float(generator.index(below: 9) - 4) }
    }
    codebook = Tensor([codewords, width], (0..<codewords).flatMap { _ in near() })
    vectors = Tensor([count, width], (0..<count).flatMap { _ in near() })
  }
}

@Suite("Near-ties are decided exactly") struct NearTieTests {
  init() { BLAS.useOneThread() }

  @Test(
    "codes are exact where the addmm form in Float is wrong", arguments: [1, 30, 1000] as [Float],
    [16, 64, 100])
  func largeNorms(norm: Float, width: Int) {
    let ties = NearTies(vectors: 150, codewords: 40, width: width, norm: norm, test: width)
    let expected = naiveNearestCodes(ties.vectors, ties.codebook)
    #expect(ties.codebook.nearestCodes(to: ties.vectors).indices == expected)

    // The plain argmin of the distances in Float is wrong.
    let distances = ties.codebook.squaredDistances(to: ties.vectors).elements
    let plain = (0..<150).map { n in
      Int32((0..<40).min { distances[n * 40 + $0] < distances[n * 40 + $1] } ?? 0)
    }
    #expect(plain != expected)
  }

  /// Squared distances near 20 that differ by parts in 10⁹, so that they are equal in Float.
  @Test(
    "codes are exact where the distances themselves are equal in Float",
    arguments: NearestSearch.allCases)
  func distantVectors(form: NearestSearch) {
    let codebook = NearTies(vectors: 0, codewords: 40, width: 64, norm: 1, test: 13).codebook
    var generator = SeededGenerator(test: 14)
    let vectors = Tensor([150, 64], (0..<9600).map { _ in generator.uniform(0, 0.5) })
    let expected = naiveNearestCodes(vectors, codebook)
    #expect(codebook.nearestCodes(to: vectors, by: form).indices == expected)
    // Not all vectors have the same code.
    #expect(Set(expected).count > 2)
  }

  @Test("a codeword equal to the vector wins over codewords that differ in the last bit")
  func exactMatch() {
    let ties = NearTies(vectors: 1, codewords: 64, width: 32, norm: 500, test: 9)
    // Each codeword is its own nearest; of equal codewords, the first.
    let codes = ties.codebook.nearestCodes(to: ties.codebook).indices
    let rows = (0..<64).map { Array(ties.codebook.elements[$0 * 32..<($0 + 1) * 32]) }
    #expect(codes == rows.map { row in Int32(rows.firstIndex(of: row) ?? -1) })
  }

  @Test("a vector has the same code at any row of any batch")
  func independentOfBatch() {
    let ties = NearTies(vectors: 300, codewords: 33, width: 64, norm: 40, test: 11)
    let together = ties.codebook.nearestCodes(to: ties.vectors).indices
    let rows = (0..<300).map { Array(ties.vectors.elements[$0 * 64..<($0 + 1) * 64]) }

    let alone = rows.map { ties.codebook.nearestCodes(to: Tensor([1, 64], $0)).indices[0] }
    #expect(alone == together)
    // The blocks begin at other vectors, and the products have other numbers of rows.
    for shift in [1, 17, 128, 255] {
      let rest = Tensor([300 - shift, 64], rows[shift...].flatMap { $0 })
      #expect(ties.codebook.nearestCodes(to: rest).indices == Array(together[shift...]))
    }
    let reversed = Tensor([300, 64], rows.reversed().flatMap { $0 })
    #expect(ties.codebook.nearestCodes(to: reversed).indices == together.reversed())
  }

  @Test("one huge codeword does not make the others imprecise")
  func hugeCodeword() {
    var generator = SeededGenerator(test: 12)
    var elements = generator.tensor([50, 16]).elements
    for i in 0..<16 { elements[20 * 16 + i] = 1e6 }
    let codebook = Tensor([50, 16], elements)
    let vectors = generator.tensor([200, 16])
    #expect(codebook.nearestCodes(to: vectors).indices == naiveNearestCodes(vectors, codebook))
  }
}
