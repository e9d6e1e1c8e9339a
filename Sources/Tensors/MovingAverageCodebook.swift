import Kernels

/// A codebook and the moving averages that it is made from.
package struct MovingAverageCodebook: Sendable {
  /// `[K, D]`.
  package var codebook: Tensor
  /// The average count of each codeword, `[K]`, and the average sum of its vectors, `[K, D]`.
  package var size: Tensor
  package var sum: Tensor

  package init(codebook: Tensor, size: Tensor, sum: Tensor) {
    precondition(
      codebook.shape.rank == 2 && size.shape == [codebook.shape[0]] && sum.shape == codebook.shape,
      "averages of shapes \(size.shape) and \(sum.shape) do not fit a codebook \(codebook.shape)")
    self.codebook = codebook
    self.size = size
    self.sum = sum
  }

  /// See `updateMovingAverageCodebook`.
  ///
  /// - Parameters:
  ///   - counts: `[K]`.
  ///   - sums: `[K, D]`.
  ///   - step: 1 for the first update.
  package mutating func update(
    counts: Tensor, sums: Tensor, decay: Double, epsilon: Double, step: Int,
    movesUnused: Bool
  ) {
    precondition(
      counts.shape == size.shape && sums.shape == sum.shape,
      "statistics of shapes \(counts.shape) and \(sums.shape) do not fit \(sum.shape)")
    precondition(step >= 1, "the first update is step 1")
    let (codewords, width) = (codebook.shape[0], codebook.shape[1])
    codebook.withUnsafeMutablePointer { codebook in
      size.withUnsafeMutablePointer { size in
        sum.withUnsafeMutablePointer { sum in
          counts.withUnsafePointer { counts in
            sums.withUnsafePointer {
              updateMovingAverageCodebook(
                counts: counts, sums: $0, size: size, sum: sum, codebook: codebook,
                codewords: codewords, width: width, decay: decay, epsilon: epsilon, step: step,
                movesUnused: movesUnused)
            }
          }
        }
      }
    }
  }
}
