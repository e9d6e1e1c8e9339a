import COpenBLAS

/// The eigenvalues of a symmetric matrix in ascending order (LAPACK's `dsyev`).
///
/// - Parameters:
///   - matrix: `[order, order]`. Only its lower triangle is read, but all of it is overwritten.
///   - eigenvalues: `[order]`, overwritten.
/// - Returns: Whether the iteration converged.
package func symmetricEigenvalues(
  _ matrix: UnsafeMutablePointer<Double>, order: Int,
  into eigenvalues: UnsafeMutablePointer<Double>
) -> Bool {
  // Column-major "upper" is row-major "lower"; naming the layout avoids LAPACKE's transposed copy.
  LAPACKE_dsyev(
    LAPACK_COL_MAJOR, CChar(UInt8(ascii: "N")), CChar(UInt8(ascii: "U")),
    Int32(truncatingIfNeeded: order), matrix, Int32(truncatingIfNeeded: order),
    eigenvalues) == 0
}
