import BLAS
import Kernels
import Tensors
import TestSupport
import Testing

/// The argmin of `Σ (z − e)²`, ties to the lowest index, by the definition in double precision.
func naiveNearestCodes(_ vectors: Tensor, _ codebook: Tensor) -> [Int32] {
  let width = codebook.shape[1]
  let (z, e) = (vectors.elements.map(Double.init), codebook.elements.map(Double.init))
  return (0..<vectors.shape.rows).map { n in
    var best = (code: Int32(-1), distance: Double.infinity)
    for k in 0..<codebook.shape[0] {
      var distance = 0.0
      for i in 0..<width {
        let difference = z[n * width + i] - e[k * width + i]
        distance += difference * difference
      }
      if distance < best.distance { best = (Int32(k), distance) }
    }
    return best.code
  }
}

/// The numbers of vectors and codewords of a search, and their width.
struct SearchSizes: Sendable, CustomTestStringConvertible {
  let vectors: Int
  let codewords: Int
  let width: Int

  init(_ vectors: Int, _ codewords: Int, _ width: Int) {
    (self.vectors, self.codewords, self.width) = (vectors, codewords, width)
  }

  var testDescription: String { "\(vectors) vectors, \(codewords) codewords of \(width)" }

  static let all = [
    SearchSizes(1, 1, 1), SearchSizes(5, 2, 3), SearchSizes(1, 512, 64), SearchSizes(127, 17, 16),
    SearchSizes(128, 16, 15), SearchSizes(129, 15, 17), SearchSizes(300, 33, 64),
    SearchSizes(64, 512, 64), SearchSizes(256, 100, 5), SearchSizes(1000, 31, 1),
  ]
}

@Suite("Distances and nearest codewords") struct NearestCodewordTests {
  init() { BLAS.useOneThread() }

  @Test("squared distances in the addmm form agree with the definition", arguments: SearchSizes.all)
  func squaredDistances(sizes: SearchSizes) {
    var generator = SeededGenerator(test: 1)
    let codebook = generator.tensor([sizes.codewords, sizes.width])
    let vectors = generator.tensor([sizes.vectors, sizes.width])
    let (zs, es) = (vectors.elements, codebook.elements)
    var expected = DoubleTensor(zeros: [sizes.vectors, sizes.codewords])
    for n in 0..<sizes.vectors {
      for k in 0..<sizes.codewords {
        for i in 0..<sizes.width {
          let z = Double(zs[n * sizes.width + i])
          let e = Double(es[k * sizes.width + i])
          expected.elements[n * sizes.codewords + k] += (z - e) * (z - e)
        }
      }
    }
    // Norms and distances are of similar size here, so cancellation costs only a few 2⁻²⁴.
    expectClose(codebook.squaredDistances(to: vectors), expected, tolerance: 2e-6)
  }

  @Test(
    "codes are the argmin in double precision", arguments: SearchSizes.all, NearestSearch.allCases)
  func argmin(sizes: SearchSizes, form: NearestSearch) {
    var generator = SeededGenerator(test: 2)
    let codebook = generator.tensor([sizes.codewords, sizes.width])
    let vectors = generator.tensor([sizes.vectors, sizes.width])
    let codes = codebook.nearestCodes(to: vectors, by: form)
    #expect(codes.shape == [sizes.vectors])
    #expect(codes.indices == naiveNearestCodes(vectors, codebook))
  }

  @Test(
    "a tie goes to the lowest index", arguments: [2, 16, 33, 100], NearestSearch.allCases)
  func ties(copies: Int, form: NearestSearch) {
    var generator = SeededGenerator(test: 3)
    let once = generator.tensor([7, 24])
    // Every codeword occurs `copies` times, far apart: code 0 also as 7, 14, …
    let all = (0..<copies).flatMap { _ in once.elements }
    let codebook = Tensor([7 * copies, 24], all)
    let vectors = generator.tensor([200, 24])
    let codes = codebook.nearestCodes(to: vectors, by: form)
    #expect(codes.indices.allSatisfy { (0..<7).contains($0) })
    #expect(codes.indices == once.nearestCodes(to: vectors, by: form).indices)
    // All codewords are equal.
    let collapsed = Tensor(zeros: [7 * copies, 24])
    #expect(collapsed.nearestCodes(to: vectors, by: form).indices.allSatisfy { $0 == 0 })
  }

  @Test(
    "a vector in the middle of two codewords gets the lower code", arguments: NearestSearch.allCases
  )
  func midpoints(form: NearestSearch) {
    let codebook = Tensor([4, 2], [3, 0, 1, 0, -1, 0, -3, 0])
    let vectors = Tensor([3, 2], [2, 5, 0, -1, -2, 0])
    #expect(codebook.nearestCodes(to: vectors, by: form).indices == [0, 1, 2])
  }

  @Test(
    "codes have the shape of the vectors without the last extent", arguments: NearestSearch.allCases
  )
  func shapes(form: NearestSearch) {
    var generator = SeededGenerator(test: 4)
    let codebook = generator.tensor([5, 3])
    let vectors = generator.tensor([2, 4, 6, 3])
    #expect(codebook.nearestCodes(to: vectors, by: form).shape == [2, 4, 6])
    #expect(codebook.nearestCodes(to: generator.tensor([3]), by: form).shape == [])
    #expect(codebook.nearestCodes(to: Tensor(zeros: [0, 3]), by: form).indices.isEmpty)
  }

  @Test("scratch memory is linear in K and does not depend on the number of vectors")
  func workspace() {
    func count(_ codewords: Int) -> Int {
      kernels.nearestCodewordsWorkspaceCount(codewords: codewords, width: 8)
    }
    // K is rounded up to panels of 32 with AVX-512, of 16 otherwise.
    let width = count(17) > count(16) ? 16 : 32
    let panel = count(2 * width) - count(width)
    #expect(panel > 0)
    for codewords in [2, 17, 512, 8192] {
      #expect(count(codewords) - count(1) == ((codewords + width - 1) / width - 1) * panel)
    }
    var generator = SeededGenerator(test: 5)
    let codebook = generator.tensor([19, 8])
    for count in [1, 127, 128, 129, 1000] {
      let vectors = generator.tensor([count, 8])
      var codes = [Int32](repeating: -7, count: count)
      // `guarded` fails if the search writes beyond its scratch memory.
      _ = guarded(kernels.nearestCodewordsWorkspaceCount(codewords: 19, width: 8)) { workspace in
        vectors.withUnsafePointer { vectors in
          codebook.withUnsafePointer { codebook in
            let packed = guarded(kernels.packedCodebookCount(codewords: 19, width: 8)) {
              kernels.packCodebook(codebook, codewords: 19, width: 8, into: $0)
            }
            kernels.nearestCodewords(
              vectors, count: count, codebook: codebook, packed: packed, codewords: 19, width: 8,
              into: &codes, workspace: workspace)
          }
        }
      }
      #expect(codes == naiveNearestCodes(vectors, codebook))
    }
  }
}
