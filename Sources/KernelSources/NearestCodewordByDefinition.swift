import KernelTypes

extension Module {
  /// The nearest codeword of every vector by the definition, without matrix products.
  ///
  ///     codes[n] = argmin over k of Σ (vectors[n] − codebook[k])², ties to the lowest k
  ///
  /// Every distance is summed in double precision, by the loop that decides near-ties in ``nearestCodewords``,
  /// so both give the same codes. This function takes nine times as long (512 codewords of width 64, AVX-512).
  ///
  /// A vector whose squared norm is above 2¹²⁶, infinite or NaN gets ``invalidCode``; a codeword with such a
  /// norm is never chosen.
  ///
  /// - Parameters:
  ///   - vectors: `[count, width]`.
  ///   - codebook: `[codewords, width]`.
  ///   - codes: `[count]`, overwritten.
  package static func nearestCodewordsByDefinition(
    _ vectors: UnsafePointer<Float>, count: Int, codebook: UnsafePointer<Float>, codewords: Int,
    width: Int, into codes: UnsafeMutablePointer<Int32>
  ) {
    func isComparable(_ row: UnsafePointer<Float>) -> Bool {
      Float(sumOfSquares(row, count: width)) <= largestSearchableNorm
    }
    withUnsafeTemporaryAllocation(of: Bool.self, capacity: codewords) { comparable in
      let comparable = comparable.baseAddress!
      for k in 0..<codewords { comparable[k] = isComparable(codebook + k &* width) }
      for n in 0..<count {
        let vector = vectors + n &* width
        var best = invalidCode
        var bestDistance = Double.infinity
        if isComparable(vector) {
          for k in 0..<codewords where comparable[k] {
            let distance = sumOfSquaredDifferences(vector, codebook + k &* width, count: width)
            if distance < bestDistance {
              best = Int32(truncatingIfNeeded: k)
              bestDistance = distance
            }
          }
        }
        codes[n] = best
      }
    }
  }
}
