/// The nearest codeword of every vector by the definition, without products of matrices.
///
///     codes[n] = argmin over k of Σ (vectors[n] − codebook[k])², the lowest k of several
///
/// Every distance is added up in double precision, by the loop that decides near-ties in
/// ``nearestCodewords``, so both give the same codes. This one takes nine times as long (512 codewords
/// of 64 on AVX-512).
///
/// A vector with a square norm above 2¹²⁶, infinite or NaN gets ``invalidCode``; a codeword with one is
/// never chosen.
///
/// - Parameters:
///   - vectors: `[count, width]`.
///   - codebook: `[codewords, width]`.
///   - codes: `[count]`, overwritten.
package func nearestCodewordsByDefinition(
  _ vectors: UnsafePointer<Float>, count: Int, codebook: UnsafePointer<Float>, codewords: Int,
  width: Int, into codes: UnsafeMutablePointer<Int32>
) {
  func isComparable(_ row: UnsafePointer<Float>) -> Bool {
    Float(sumOfSquares(row, count: width)) <= largestSearchableNorm
  }
  let comparable = (0..<codewords).filter { isComparable(codebook + $0 &* width) }
  for n in 0..<count {
    let vector = vectors + n &* width
    var best = invalidCode
    var bestDistance = Double.infinity
    for k in isComparable(vector) ? comparable : [] {
      let distance = sumOfSquaredDifferences(vector, codebook + k &* width, count: width)
      if distance < bestDistance {
        best = Int32(truncatingIfNeeded: k)
        bestDistance = distance
      }
    }
    codes[n] = best
  }
}
