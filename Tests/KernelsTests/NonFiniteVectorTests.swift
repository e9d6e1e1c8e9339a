import BLAS
import Kernels
import Tensors
import TestSupport
import Testing

@Suite("Vectors and codewords that are not finite") struct NonFiniteVectorTests {
  init() { BLAS.useOneThread() }

  static let poisons: [Float] = [.nan, .infinity, -.infinity, 1e30, -3e38]

  @Test(
    "a vector without a finite norm has no code, and its neighbours keep theirs",
    arguments: poisons, NearestSearch.allCases)
  func vectors(poison: Float, form: NearestSearch) {
    var generator = SeededGenerator(test: 1)
    let codebook = generator.tensor([37, 20])
    let clean = generator.tensor([260, 20])
    let expected = naiveNearestCodes(clean, codebook)
    for row in [0, 1, 127, 128, 259] {
      for place in [0, 15, 19] {
        var elements = clean.elements
        elements[row * 20 + place] = poison
        var codes = expected
        codes[row] = Codes.invalid
        let vectors = Tensor([260, 20], elements)
        #expect(codebook.nearestCodes(to: vectors, by: form).indices == codes)
      }
    }
  }

  @Test(
    "a codeword without a finite norm is never chosen", arguments: poisons, NearestSearch.allCases)
  func codewords(poison: Float, form: NearestSearch) {
    var generator = SeededGenerator(test: 2)
    let codebook = generator.tensor([37, 20])
    let vectors = generator.tensor([260, 20])
    for row in [0, 16, 36] {
      var elements = codebook.elements
      elements[row * 20 + 3] = poison
      // The expected codes are those of the rest of the codebook, with the original indices.
      var rest = codebook.elements
      rest.removeSubrange(row * 20..<(row + 1) * 20)
      let expected = naiveNearestCodes(vectors, Tensor([36, 20], rest)).map {
        $0 < Int32(row) ? $0 : $0 + 1
      }
      let poisoned = Tensor([37, 20], elements)
      #expect(poisoned.nearestCodes(to: vectors, by: form).indices == expected)
    }
  }

  @Test("without a finite codeword there is no code", arguments: NearestSearch.allCases)
  func noCodeword(form: NearestSearch) {
    var generator = SeededGenerator(test: 3)
    let vectors = generator.tensor([5, 4])
    for poison in Self.poisons {
      let codebook = Tensor([18, 4], repeating: poison)
      let codes = codebook.nearestCodes(to: vectors, by: form)
      #expect(codes.indices == Array(repeating: -1, count: 5))
    }
  }

  @Test("norms whose product overflows are still compared", arguments: NearestSearch.allCases)
  func largestNorms(form: NearestSearch) {
    // ‖z‖² ≈ 4e36 and ‖e‖² up to 1.6e37 are finite, but their product is not.
    let codebook = Tensor([3, 2], [4e18, 0, 1e18, 1e17, -2e18, 0])
    let vectors = Tensor([3, 2], [3.5e18, 0, 0, 0, -1.9e18, 2e17])
    #expect(codebook.nearestCodes(to: vectors, by: form).indices == [0, 1, 2])
  }

  @Test(
    "a codeword whose norm overflows is not chosen by a vector close to it either",
    arguments: NearestSearch.allCases)
  func overflowingNeighbour(form: NearestSearch) {
    // ‖z‖² = 3.24e38 is finite. The first codeword is nearer, but its ‖e‖² = 3.42e38 is not finite.
    let codebook = Tensor([2, 2], [1.85e19, 0, 1e19, 0])
    let vectors = Tensor([1, 2], [1.8e19, 0])
    // A search may also refuse norms this close to the end of Float's range.
    let codes = codebook.nearestCodes(to: vectors, by: form)
    #expect([1, Codes.invalid].contains(codes.indices[0]))
  }

  @Test("norms that underflow are compared exactly", arguments: NearestSearch.allCases)
  func underflow(form: NearestSearch) {
    // Squares near 1e-45, the smallest number of Float; the distances are 4e-24 and 1e-24.
    let codebook = Tensor([2, 1], [2.5e-23, 3e-23])
    let vectors = Tensor([1, 1], [2.9e-23])
    #expect(codebook.nearestCodes(to: vectors, by: form).indices == [1])
  }
}
