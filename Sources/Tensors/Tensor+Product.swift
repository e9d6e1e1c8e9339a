import KernelTypes
import Kernels

extension Tensor {
  /// The matrix product `self · other`: `[M, K]` times `[K, N]` gives `[M, N]`.
  ///
  /// - Parameter choice: the kernels that compute it.
  package func matrixProduct(_ other: Tensor, by choice: KernelSet = .current) -> Tensor {
    let kernels = choice.module
    precondition(
      shape.rank == 2 && other.shape.rank == 2 && shape[1] == other.shape[0],
      "matrices of shapes \(shape) and \(other.shape) have no product")
    return Tensor([shape[0], other.shape[1]]) { target in
      withUnsafePointer { a in
        other.withUnsafePointer { b in
          withWorkspace(kernels.productWorkspaceCount(inner: shape[1])) {
            kernels.product(
              MatrixView(a, rows: shape[0], columns: shape[1]),
              MatrixView(b, rows: other.shape[0], columns: other.shape[1]), factor: 1,
              into: target, stride: other.shape[1], adds: false, workspace: $0)
          }
        }
      }
    }
  }
}
