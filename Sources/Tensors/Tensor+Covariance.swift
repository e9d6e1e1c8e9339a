import BLAS
import Kernels

extension Tensor {
  /// The eigenvalues of the covariance of the rows, in ascending order; nil where LAPACK's iteration
  /// does not converge or there is no row. `self` is `[N, D]`, the result has D elements.
  package func covarianceEigenvalues() -> [Double]? {
    precondition(shape.rank == 2, "rows make a matrix, not \(shape)")
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
