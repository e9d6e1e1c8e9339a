import COpenBLAS
import KernelTypes

/// `result = α·a·b + β·result`, PyTorch's `addmm`.
///
/// `a` is `[M, K]`, `b` is `[K, N]`, `result` is `[M, N]`, row-major and contiguous. With `β = 0`
/// `result` is overwritten and need not be initialized. `result` must overlap neither `a` nor `b`.
///
/// - Parameter resultStride: floats between two rows of `result`; by default N.
package func gemm(
  _ a: MatrixView, _ b: MatrixView, into result: UnsafeMutablePointer<Float>,
  resultStride: Int? = nil, alpha: Float = 1, beta: Float = 0
) {
  cblas_sgemm(
    CblasRowMajor,
    a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans,
    CInt(truncatingIfNeeded: a.rows), CInt(truncatingIfNeeded: b.columns),
    CInt(truncatingIfNeeded: a.columns),
    alpha, a.base, CInt(truncatingIfNeeded: max(1, a.storedColumns)),
    b.base, CInt(truncatingIfNeeded: max(1, b.storedColumns)),
    beta, result, CInt(truncatingIfNeeded: max(1, resultStride ?? b.columns)))
}
