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
  ///   - iterations: the largest number of Lloyd's; it ends earlier if no vector changes its cluster.
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
    // Without a centroid, all vectors are equally likely.
    var distances = [Double](repeating: 1, count: total)
    var left = Array(0..<total)
    var done = 0
    while done < clusters {
      let size = done == 0 ? 1 : min(max(clusters / 64, 1), clusters - done)
      let chosen = Self.draw(size, of: left, weights: distances, &generator)
      for (i, vector) in chosen.enumerated() {
        centroids.setRow(done + i, to: vectors, row: vector)
      }
      let isChosen = Set(chosen)
      left.removeAll(where: isChosen.contains)
      let block = centroids.items(done..<(done + size))
      let codes = block.nearestCodes(to: vectors)
      for (i, distance) in squaredDistances(to: block, codes).enumerated() {
        distances[i] = done == 0 ? distance : min(distances[i], distance)
      }
      done += size
    }
  }

  /// Draws without repetition, with probabilities proportional to the weights: the smallest of the numbers
  /// `−log(u) / weight` with a random u of each (Efraimidis and Spirakis 2006). A weight of 0, that of a vector
  /// which coincides with a centroid, is drawn after all others.
  private static func draw(
    _ count: Int, of candidates: [Int], weights: [Double], _ generator: inout SeededGenerator
  ) -> [Int] {
    let keys = candidates.map { i in
      let u = 1 - Double(generator.next() >> 11) * 0x1p-53
      return (weights[i] > 0 ? -naturalLogarithm(u) / weights[i] : .infinity, i)
    }
    return keys.sorted { $0 < $1 }.prefix(count).map(\.1)
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
    centroids.setRows { k in sizes[k] > 0 ? (sums, 1 / sizes[k]) : nil }
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
