import Autograd
import Diagnostics
import NN
import Tensors

extension RandomPurpose {
  package static let kMeans = RandomPurpose(6)
}

/// k-means clustering (Lloyd 1982) from a k-means++ start (Arthur and Vassilvitskii 2007).
package struct KMeans: Sendable {
  /// The means of the clusters, `[K, D]`.
  package private(set) var centroids: Tensor
  /// How many vectors each cluster has, `[K]`; none is empty unless vectors coincide.
  package private(set) var counts: Tensor
  private let vectors: Tensor

  /// - Parameters:
  ///   - vectors: `[n, D]`, at least `clusters`.
  ///   - iterations: at most so many of Lloyd's; fewer if no vector changes its cluster.
  package init(
    _ vectors: Tensor, clusters: Int, iterations: Int = 20, generator: inout SeededGenerator
  ) {
    precondition(vectors.shape.rows >= clusters, "a cluster has at least one vector")
    self.vectors = vectors
    centroids = Tensor(zeros: [clusters, vectors.shape.width])
    counts = Tensor(zeros: [clusters])
    choose(&generator)
    var codes = centroids.nearestCodes(to: vectors)
    for _ in 0..<iterations {
      average(codes)
      let next = centroids.nearestCodes(to: vectors)
      if next == codes { break }
      codes = next
    }
    counts = codes.counts(codewords: clusters)
  }

  /// Chooses vectors as the first centroids, each with a probability proportional to the squared distance to
  /// the nearest one so far. A sixty-fourth of them is chosen at a time, as in k-means‖ (Bahmani et al. 2012),
  /// because a search against many centroids costs less than many searches against one.
  private mutating func choose(_ generator: inout SeededGenerator) {
    let (clusters, total) = (centroids.shape[0], vectors.shape.rows)
    var distances = [Double](repeating: .infinity, count: total)
    var isChosen = [Bool](repeating: false, count: total)
    var done = 0
    while done < clusters {
      let size = done == 0 ? 1 : min(max(clusters / 64, 1), clusters - done)
      let first = done
      for _ in 0..<size {
        let vector = Self.draw(distances, isChosen, &generator)
        isChosen[vector] = true
        centroids.setRow(done, to: vectors, row: vector)
        done += 1
      }
      let block = centroids.items(first..<done)
      let codes = block.nearestCodes(to: vectors)
      for (i, distance) in squaredDistances(to: block, codes).enumerated() {
        distances[i] = min(distances[i], distance)
      }
    }
  }

  /// A vector that was not chosen, with a probability proportional to its distance; with equal ones while
  /// there is no centroid, and when all that are left coincide with centroids.
  private static func draw(
    _ distances: [Double], _ isChosen: [Bool], _ generator: inout SeededGenerator
  ) -> Int {
    var weights = distances.indices.map { isChosen[$0] ? 0 : distances[$0] }
    var total = weights.reduce(0, +)
    if !(total > 0 && total.isFinite) {
      weights = isChosen.map { $0 ? 0 : 1 }
      total = weights.reduce(0, +)
    }
    let target = Double(generator.next() >> 11) * 0x1p-53 * total
    var sum = 0.0
    var last = 0
    for (i, weight) in weights.enumerated() where weight > 0 {
      last = i
      sum += weight
      if sum > target { break }
    }
    return last
  }

  /// Moves every centroid to the mean of its vectors. An empty cluster gets the vector that is farthest from
  /// its centroid, each a different one.
  private mutating func average(_ codes: Codes) {
    let clusters = centroids.shape[0]
    let sizes = codes.counts(codewords: clusters).elements
    let empty = sizes.indices.filter { sizes[$0] == 0 }
    var farthest: [Int] = []
    if !empty.isEmpty {
      let distances = squaredDistances(to: centroids, codes)
      farthest = distances.indices.sorted { (distances[$1], $0) < (distances[$0], $1) }
    }
    var sums = Tensor(zeros: centroids.shape)
    sums.scatterAdd(vectors, at: codes)
    for k in 0..<clusters where sizes[k] > 0 {
      centroids.setRow(k, to: sums, row: k, factor: 1 / sizes[k])
    }
    for (k, vector) in zip(empty, farthest) { centroids.setRow(k, to: vectors, row: vector) }
  }

  /// The squared distance of each vector to the row at its code.
  private func squaredDistances(to table: Tensor, _ codes: Codes) -> [Double] {
    vectors.squaredErrors(from: table.rows(at: codes))
  }
}

extension Codebook {
  /// Replaces the codewords by the centroids of the encoder's vectors, if they are to start there.
  ///
  /// - Parameter sample: see ``Quantizer/prepare(_:seed:sample:)``.
  /// - Returns: The size of each cluster over the mean size, `[K]`; nil if the codewords start elsewhere.
  /// - Throws: ``Problem`` if there are fewer vectors than codewords, or one is not finite.
  func start(
    _ state: inout ModelState, seed: UInt64, sample: (Int) throws -> Tensor
  ) throws -> Tensor? {
    guard startsFromKMeans else { return nil }
    // Enough for means that are not single vectors, and few enough to be held in memory and clustered in
    // seconds.
    let vectors = try sample(max(2 * codewords, min(32 * codewords, 1 << 18)))
    func problem(_ found: String, _ expected: String) -> Problem {
      Problem(
        .badConfiguration, "quantizer.init", found: found, expected: expected,
        advice: "Another init, such as fan, does not need vectors.")
    }
    guard vectors.shape.rows >= codewords else {
      throw problem(
        "kmeans with \(codewords) codewords, but the training images have \(vectors.shape.rows) vectors",
        "at least as many vectors as codewords: more images, or a smaller quantizer.codebook_size")
    }
    guard vectors.isFinite else {
      throw problem("the encoder's vectors are not finite", "finite weights")
    }
    var generator = SeededGenerator(
      seed: seed, purpose: .kMeans, stream: streamNumber(of: latent))
    let clusters = KMeans(vectors, clusters: codewords, generator: &generator)
    state.values[parameter] = clusters.centroids.keepingPackedForms()
    let mean = Float(vectors.shape.rows) / Float(codewords)
    return Tensor([codewords], clusters.counts.elements.map { $0 / mean })
  }
}
