/// Squared distances between vectors and codewords in the `addmm` form.
///
///     distances[n, k] = (‖vectors[n]‖² + ‖codebook[k]‖²) − 2·vectors[n]·codebook[k]
///
/// Cancellation: where `‖z‖` is much larger than `‖z − e‖` the absolute error is near `2⁻²⁴·‖z‖²`,
/// and the result can be negative. ``nearestCodewords`` decides near-ties without it.
///
/// The whole matrix, for who wants to look at it; the search holds a block of it at a time.
///
/// - Parameters:
///   - vectors: `[count, width]`.
///   - codebook: `[codewords, width]`.
///   - distances: `[count, codewords]`, overwritten.
package func squaredDistances(
  _ vectors: UnsafePointer<Float>, count: Int, codebook: UnsafePointer<Float>, codewords: Int,
  width: Int, into distances: UnsafeMutablePointer<Float>
) {
  let norms = distances
  guard count > 0 else { return }
  for k in 0..<codewords {
    norms[k] = Float(sumOfSquares(codebook + k &* width, count: width))
  }
  // From the last row to the first: the first one holds the codewords' norms.
  for n in (0..<count).reversed() {
    let norm = Float(sumOfSquares(vectors + n &* width, count: width))
    let row = distances + n &* codewords
    for k in 0..<codewords { row[k] = norm + norms[k] }
  }
  gemm(
    MatrixView(vectors, rows: count, columns: width),
    MatrixView(codebook, rows: codewords, columns: width).transposed,
    into: distances, alpha: -2, beta: 1)
}

/// A quarter of Float's range: no score of norms below it overflows.
private let largestSearchableNorm: Float = 0x1p126

/// Vectors whose distances ``nearestCodewords`` holds at once.
package let nearestCodewordsBlock = 128

/// Floats of scratch memory that ``nearestCodewords`` needs, whatever the number of vectors.
package func nearestCodewordsWorkspaceCount(codewords: Int) -> Int {
  (nearestCodewordsBlock + 1) * codewords
}

/// The nearest codeword of every vector, exactly.
///
///     codes[n] = argmin over k of ‖vectors[n] − codebook[k]‖², the lowest k of several
///
/// The search runs on `‖e‖² − 2·z·e` in Float, block by block. With D products and a sum each, that
/// is off by at most `(D + 2)·2⁻²³·(‖e‖² + 2·‖z‖·‖e‖)`; every codeword within that bound of the
/// smallest is compared again by `Σ (z − e)²` in Double. So a code depends neither on the order of
/// BLAS's sums nor on cancellation.
///
/// A vector with a square norm above 2¹²⁶, infinite or NaN gets ``invalidCode``; a codeword with one is
/// never chosen.
///
/// - Parameters:
///   - vectors: `[count, width]`.
///   - codebook: `[codewords, width]`.
///   - codes: `[count]`, overwritten.
///   - workspace: ``nearestCodewordsWorkspaceCount(codewords:)`` floats.
package func nearestCodewords(
  _ vectors: UnsafePointer<Float>, count: Int, codebook: UnsafePointer<Float>, codewords: Int,
  width: Int, into codes: UnsafeMutablePointer<Int32>, workspace: UnsafeMutablePointer<Float>
) {
  let norms = workspace
  let scores = workspace + codewords
  var largestNorm: Float = 0
  for k in 0..<codewords {
    norms[k] = Float(sumOfSquares(codebook + k &* width, count: width))
    if norms[k] <= largestSearchableNorm {
      largestNorm = max(largestNorm, norms[k])
    } else {
      norms[k] = .nan  // so that its scores are NaN, which no comparison lets through
    }
  }
  let unit = Float(width &+ 2) * 0x1p-23
  let codebookMatrix = MatrixView(codebook, rows: codewords, columns: width).transposed

  for first in stride(from: 0, to: count, by: nearestCodewordsBlock) {
    let rows = min(nearestCodewordsBlock, count &- first)
    let block = vectors + first &* width
    for n in 0..<rows { (scores + n &* codewords).update(from: norms, count: codewords) }
    gemm(
      MatrixView(block, rows: rows, columns: width), codebookMatrix, into: scores, alpha: -2,
      beta: 1)
    for n in 0..<rows {
      let vector = block + n &* width
      let norm = Float(sumOfSquares(vector, count: width))
      guard norm <= largestSearchableNorm else {
        codes[first &+ n] = invalidCode
        continue
      }
      let row = scores + n &* codewords
      let smallest = minimum(row, count: codewords)
      let size = largestNorm + 2 * norm.squareRoot() * largestNorm.squareRoot()
      // Below the normal numbers the error is no longer relative.
      let error = max(unit * size, .leastNormalMagnitude)
      codes[first &+ n] = nearest(
        vector, among: row, below: smallest + 2 * error, codebook: codebook, codewords: codewords,
        width: width)
    }
  }
}

/// The smallest element; NaN is passed over.
private func minimum(_ a: UnsafePointer<Float>, count: Int) -> Float {
  var lanes = Lanes(repeating: .infinity)
  var i = 0
  while i &+ 16 <= count {
    let x = Lanes(loading: a + i)
    lanes.replace(with: x, where: x .< lanes)
    i &+= 16
  }
  var smallest = lanes.min()
  while i < count {
    if a[i] < smallest { smallest = a[i] }
    i &+= 1
  }
  return smallest
}

/// Of the codewords whose score is not above `limit`, the one with the least exact distance.
private func nearest(
  _ vector: UnsafePointer<Float>, among scores: UnsafePointer<Float>, below limit: Float,
  codebook: UnsafePointer<Float>, codewords: Int, width: Int
) -> Int32 {
  var best = invalidCode
  var bestDistance = Double.infinity
  @inline(__always) func consider(_ k: Int) {
    guard scores[k] <= limit else { return }
    let distance = sumOfSquaredDifferences(vector, codebook + k &* width, count: width)
    if distance < bestDistance {
      best = Int32(truncatingIfNeeded: k)
      bestDistance = distance
    }
  }
  let limits = Lanes(repeating: limit)
  var k = 0
  while k &+ 16 <= codewords {
    if any(Lanes(loading: scores + k) .<= limits) {
      for lane in 0..<16 { consider(k &+ lane) }
    }
    k &+= 16
  }
  while k < codewords {
    consider(k)
    k &+= 1
  }
  return best
}
