import Glibc
import NN
import Tensors

/// In how many directions the rows of a matrix spread: `exp` of the entropy of the eigenvalues of their
/// covariance, taken as a distribution (Roy and Vetterli 2007, "The effective rank", on the squares of
/// the singular values).
///
/// It is D where they spread evenly in all directions, 1 where they lie on a line, and 0 where they
/// coincide. A codebook whose effective rank is far below its dimension has collapsed.
///
/// - Parameter rows: `[N, D]`.
/// - Returns: nil where it cannot be computed.
package func effectiveRank(ofRows rows: Tensor) -> Double? {
  guard rows.isFinite, let eigenvalues = rows.covarianceEigenvalues() else { return nil }
  let positive = eigenvalues.filter { $0 > 0 }
  let total = positive.reduce(0, +)
  guard total > 0 else { return 0 }
  return exp(-positive.reduce(0) { $0 + ($1 / total) * log($1 / total) })
}

extension CodebookUsage {
  /// The codewords that were chosen, `[used, D]`.
  package func usedCodewords(of codebook: Tensor) -> Tensor {
    let indices = counts.indices.filter { counts[$0] > 0 }.map { Int32($0) }
    return codebook.rows(at: Codes([indices.count], indices))
  }
}
