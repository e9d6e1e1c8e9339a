import BLAS
import Kernels

extension Tensor {
  /// The matrix product `self · other`: `[M, K]` times `[K, N]` gives `[M, N]`.
  package func matrixProduct(_ other: Tensor) -> Tensor {
    precondition(
      shape.rank == 2 && other.shape.rank == 2 && shape[1] == other.shape[0],
      "matrices of shapes \(shape) and \(other.shape) have no product")
    return Tensor([shape[0], other.shape[1]]) { target in
      withUnsafePointer { a in
        other.withUnsafePointer { b in
          gemm(
            MatrixView(a, rows: shape[0], columns: shape[1]),
            MatrixView(b, rows: other.shape[0], columns: other.shape[1]), into: target)
        }
      }
    }
  }
}
