import Glibc

/// The learning rate of each step, a function of the step's number alone.
///
/// With W steps of warm-up and T steps in all, step t, counted from 1, is made with
///
///     t ≤ W             peak · t / W
///     t > W, constant   peak
///     t > W, cosine     end + (peak − end) · (1 + cos(π · (t − 1 − W) / (T − W))) / 2
///
/// So the first step after the warm-up has the peak as well, and the rate would be `end` in the step
/// after the last: every step that is made learns. PyTorch has the same numbers from `LinearLR` (from 1/W,
/// over W − 1 steps) followed by `CosineAnnealingLR` (over T − W).
package struct LearningRate: Sendable, Equatable {
  package enum Schedule: String, CaseIterable, Sendable {
    case constant, cosine
  }

  package var schedule = Schedule.constant
  package var peak: Double
  /// Where the cosine ends.
  package var end = 0.0
  /// W.
  package var warmupSteps = 0
  /// T; only the cosine depends on it.
  package var steps: Int

  package init(peak: Double, steps: Int) {
    self.peak = peak
    self.steps = steps
  }

  /// - Parameter step: t, 1 for the first.
  package func callAsFunction(step: Int) -> Double {
    if step <= warmupSteps { return peak * Double(step) / Double(warmupSteps) }
    guard schedule == .cosine else { return peak }
    // A step after the last, which a run does not make, has the rate where the cosine ends.
    let progress = min(1, Double(step - 1 - warmupSteps) / Double(max(1, steps - warmupSteps)))
    return end + (peak - end) * (1 + cos(.pi * progress)) / 2
  }
}
