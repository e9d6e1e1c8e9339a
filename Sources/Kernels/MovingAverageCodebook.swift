/// Updates the averages of a codebook with the statistics of a batch, and the codebook from them
/// (van den Oord et al. 2017, appendix A.1; bias correction and smoothing as in Sonnet).
///
///     size ← γ·size + (1 − γ)·counts           sum ← γ·sum + (1 − γ)·sums
///     size^ = size / (1 − γᵗ)                   sum^ = sum / (1 − γᵗ)
///     smoothed[k] = (size^[k] + ε) / (Σ size^ + K·ε) · Σ size^
///     codebook[k] = sum^[k] / smoothed[k]
///
/// - Parameters:
///   - counts: how many vectors chose each codeword, `[codewords]`.
///   - sums: the sum of those vectors, `[codewords, width]`.
///   - size, sum: the averages, `[codewords]` and `[codewords, width]`, zero before the first step.
///   - codebook: `[codewords, width]`.
///   - step: t, 1 for the first update.
///   - movesUnused: whether the last line holds for codewords with a count of 0 too.
package func updateMovingAverageCodebook(
  counts: UnsafePointer<Float>, sums: UnsafePointer<Float>,
  size: UnsafeMutablePointer<Float>, sum: UnsafeMutablePointer<Float>,
  codebook: UnsafeMutablePointer<Float>, codewords: Int, width: Int,
  decay: Double, epsilon: Double, step: Int, movesUnused: Bool
) {
  let old = Float(decay)
  let new = Float(1 - decay)
  let correction = 1 / (1 - power(decay, step))
  for k in 0..<codewords { size[k] = old * size[k] + new * counts[k] }
  for i in 0..<codewords &* width { sum[i] = old * sum[i] + new * sums[i] }

  let total = Kernels.sum(size, count: codewords) * correction
  guard total > 0 else { return }
  let smoothing = total / (total + Double(codewords) * epsilon)
  for k in 0..<codewords where movesUnused || counts[k] > 0 {
    let smoothed = (Double(size[k]) * correction + epsilon) * smoothing
    scale(
      sum + k &* width, by: Float(correction / smoothed), count: width,
      into: codebook + k &* width)
  }
}
