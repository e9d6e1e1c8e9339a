import Glibc
import NN
import Tensors

/// The effective rank of the rows of a matrix: `exp` of the entropy of the normalized eigenvalues of their
/// covariance (Roy and Vetterli 2007, "The effective rank", on the squares of the singular values).
///
/// It is D if the rows spread evenly in all directions, 1 if they are on a line, and 0 if they coincide. A
/// codebook whose effective rank is far below its dimension has collapsed.
///
/// - Parameter rows: `[N, D]`.
/// - Returns: Nil if it cannot be computed, for instance if an element is not finite.
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
