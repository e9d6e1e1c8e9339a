import BLAS
import Kernels

extension Tensor {
  /// The D eigenvalues of the covariance matrix of the rows of `self`, `[N, D]`, in ascending order; nil if
  /// there are no rows, or if LAPACK's iteration does not converge.
  package func covarianceEigenvalues() -> [Double]? {
    precondition(shape.rank == 2, "a matrix is [N, D], not \(shape)")
    let (rows, width) = (shape[0], shape[1])
    guard rows > 0 else { return nil }
    let elements = elements.map(Double.init)
    var means = [Double](repeating: 0, count: width)
    for i in elements.indices { means[i % width] += elements[i] / Double(rows) }
    var covariance = [Double](repeating: 0, count: width * width)
    for row in 0..<rows {
      for i in 0..<width {
        let difference = elements[row * width + i] - means[i]
        for j in 0...i {
          covariance[i * width + j] +=
            difference * (elements[row * width + j] - means[j]) / Double(rows)
        }
      }
    }
    var eigenvalues = [Double](repeating: 0, count: width)
    let converged = covariance.withUnsafeMutableBufferPointer { covariance in
      eigenvalues.withUnsafeMutableBufferPointer { eigenvalues in
        symmetricEigenvalues(
          covariance.baseAddress!, order: width, into: eigenvalues.baseAddress!)
      }
    }
    return converged ? eigenvalues : nil
  }
}
