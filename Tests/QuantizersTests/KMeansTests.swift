import Autograd
import Diagnostics
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

@Suite("k-means") struct KMeansTests {
  /// Forty vectors around each of eight corners of a cube of edge 10.
  private func corners() -> Tensor {
    var generator = SeededGenerator(test: 3)
    let elements = (0..<320).flatMap { i in
      (0..<3).map { axis in Float((i >> axis) & 1) * 10 + generator.uniform(-0.05, 0.05) }
    }
    return Tensor([320, 3], elements)
  }

  @Test("finds well-separated clusters, with their means and sizes", arguments: 1...5)
  func separated(seed: Int) {
    let vectors = corners()
    var generator = SeededGenerator(test: seed)
    let clusters = KMeans(vectors, clusters: 8, generator: &generator)
    #expect(clusters.counts.elements == Array(repeating: 40, count: 8))
    let codes = clusters.centroids.nearestCodes(to: vectors, by: .exact)
    for k in 0..<8 {
      let members = (0..<320).filter { codes.indices[$0] == Int32(k) }
      for axis in 0..<3 {
        let mean = members.reduce(0.0) { $0 + Double(vectors.elements[$1 * 3 + axis]) } / 40
        // A sum of forty floats below 11 in single precision.
        #expect(abs(Double(clusters.centroids.elements[k * 3 + axis]) - mean) < 1e-5)
      }
    }
  }

  @Test("leaves no cluster empty: also if all first centroids are in one place")
  func emptyClusters() {
    // 60 equal vectors and 4 others: the mean of the equal ones is one of them.
    let elements: [Float] =
      Array(repeating: 1, count: 120) + [5, 5, 9, 1, -4, 2, 0, -7]
    var generator = SeededGenerator(test: 1)
    let clusters = KMeans(Tensor([64, 2], elements), clusters: 5, generator: &generator)
    #expect(clusters.counts.elements.sorted() == [1, 1, 1, 1, 60])
  }

  @Test("copes with fewer different vectors than clusters")
  func coinciding() {
    var generator = SeededGenerator(test: 1)
    let vectors = Tensor([20, 2], Array(repeating: [1, 2], count: 20).flatMap(\.self))
    let clusters = KMeans(vectors, clusters: 4, generator: &generator)
    #expect(clusters.centroids.isFinite && clusters.counts.sum() == 20)
    #expect(clusters.centroids.elements == Array(repeating: [1, 2], count: 4).flatMap(\.self))
  }

  @Test("Lloyd's iterations do not increase the error")
  func decreases() {
    var source = SeededGenerator(test: 9)
    let vectors = source.tensor([500, 4])
    func error(_ iterations: Int) -> Double {
      var generator = SeededGenerator(test: 2)
      let found = KMeans(
        vectors, clusters: 20, iterations: iterations, generator: &generator
      ).centroids
      let nearest = found.rows(at: found.nearestCodes(to: vectors))
      return vectors.sumOfSquaredDifferences(from: nearest, rows: 500)
    }
    let errors = [0, 1, 2, 5, 20].map(error)
    for (earlier, later) in zip(errors, errors.dropFirst()) { #expect(later <= earlier) }
    #expect(errors[4] < 0.95 * errors[0])
  }

  // MARK: As the start of a codebook

  private func codebook(_ codewords: Int, role: Parameter.Role) -> Codebook {
    Codebook(
      "q", codewords: codewords, dimension: 3, initializer: .zeros, role: role,
      startsFromKMeans: true)
  }

  @Test(
    "makes averages that are consistent with the centroids: sum = count × centroid, mean count 1")
  func averages() throws {
    let quantizer = EMAQuantizer(
      codebook(8, role: .buffer), commitment: 0.25, decay: 0.99, unused: .keep)
    var state = ModelState(initial: quantizer.parameters, seed: 1)
    try quantizer.prepare(&state, seed: 1) { count in
      #expect(count == 256)
      return corners()
    }
    let (size, sum) = (state.values[quantizer.size].elements, state.values[quantizer.sum].elements)
    let codewords = state.values[quantizer.vectors.parameter].elements
    #expect(abs(size.reduce(0, +) / 8 - 1) < 1e-6)
    for i in codewords.indices { #expect(sum[i] == size[i / 3] * codewords[i]) }
  }

  @Test("fewer vectors than codewords are an error that says so")
  func tooFew() throws {
    let quantizer = VectorQuantizer(codebook(512, role: .trained), commitment: 0.25)
    var state = ModelState(initial: quantizer.parameters, seed: 1)
    let problem = #expect(throws: Problem.self) {
      try quantizer.prepare(&state, seed: 1) { _ in corners() }
    }
    #expect(problem?.subject == "quantizer.init")
    #expect(problem?.found.contains("512 codewords") == true)
    #expect(problem?.found.contains("320 vectors") == true)
  }

  @Test("vectors that are not finite are an error")
  func notFinite() {
    let quantizer = VectorQuantizer(codebook(2, role: .trained), commitment: 0.25)
    var state = ModelState(initial: quantizer.parameters, seed: 1)
    #expect(throws: Problem.self) {
      try quantizer.prepare(&state, seed: 1) { _ in Tensor([4, 3], repeating: .nan) }
    }
  }
}

@Suite("Orthogonal rows") struct OrthogonalRowsTests {
  @Test(
    "have length 1 and are orthogonal in groups of their width",
    arguments: [[20, 8], [5, 8], [8, 1]])
  func groups(extents: [Int]) {
    let table = Initializer.orthogonalRows.tensor(Shape(extents), seed: 1, name: "q.codebook")
    let (rows, width) = (extents[0], extents[1])
    let elements = table.elements.map(Double.init)
    for a in 0..<rows {
      for b in (a / width * width)...a {
        let product = (0..<width).reduce(0.0) {
          $0 + elements[a * width + $1] * elements[b * width + $1]
        }
        // One rounding to single precision for each element.
        #expect(abs(product - (a == b ? 1 : 0)) < 1e-6, "rows \(a) and \(b)")
      }
    }
  }
}
