import KernelTypes
import Kernels

extension Tensor {
  /// Which factor of a matrix product is read as its transpose.
  package enum Transposition: Sendable { case none, left, right }

  /// The matrix product `self · other`: `[M, K]` times `[K, N]` gives `[M, N]`.
  ///
  /// - Parameters:
  ///   - transposition: a factor to be transposed first.
  ///   - choice: the kernels that compute it.
  package func matrixProduct(
    _ other: Tensor, transposing transposition: Transposition = .none,
    by choice: KernelSet = .current
  ) -> Tensor {
    let kernels = choice.module
    precondition(
      shape.rank == 2 && other.shape.rank == 2, "\(shape) and \(other.shape) are not matrices")
    let (rows, inner) =
      transposition == .left ? (shape[1], shape[0]) : (shape[0], shape[1])
    let (otherInner, columns) =
      transposition == .right
      ? (other.shape[1], other.shape[0]) : (other.shape[0], other.shape[1])
    precondition(
      inner == otherInner, "matrices of shapes \(shape) and \(other.shape) have no such product")
    return Tensor([rows, columns]) { target in
      withUnsafePointer { a in
        other.withUnsafePointer { b in
          let left = MatrixView(a, rows: shape[0], columns: shape[1])
          let right = MatrixView(b, rows: other.shape[0], columns: other.shape[1])
          withWorkspace(kernels.productWorkspaceCount(inner: inner)) {
            kernels.product(
              transposition == .left ? left.transposed : left,
              transposition == .right ? right.transposed : right, factor: 1, into: target,
              stride: columns, adds: false, workspace: $0)
          }
        }
      }
    }
  }
}
