import Tensors

/// The learning rate of a step, a function of the step's number.
///
/// With W warm-up steps and T steps in total, step t, counted from 1, has the learning rate
///
///     t ≤ W             peak · t / W
///     t > W, constant   peak
///     t > W, cosine     end + (peak − end) · (1 + cos(π · (t − 1 − W) / (T − W))) / 2
///
/// The first step after the warm-up also has the peak, and the cosine would reach `end` in the step after the
/// last, so every step learns. PyTorch's `LinearLR` (from 1/W, over W − 1 steps) followed by
/// `CosineAnnealingLR` (over T − W) gives the same numbers.
package struct LearningRate: Sendable, Equatable {
  package enum Schedule: String, CaseIterable, Sendable {
    case constant, cosine
  }

  package var schedule = Schedule.constant
  package var peak: Double
  /// The learning rate at the end of the cosine.
  package var end = 0.0
  /// W.
  package var warmupSteps = 0
  /// T. Only the cosine depends on it.
  package var steps: Int

  package init(peak: Double, steps: Int) {
    self.peak = peak
    self.steps = steps
  }

  /// - Parameter step: t, 1 for the first.
  package func callAsFunction(step: Int) -> Double {
    if step <= warmupSteps { return peak * Double(step) / Double(warmupSteps) }
    guard schedule == .cosine else { return peak }
    // Steps after the last, which a run does not make, have the final learning rate.
    let progress = min(1, Double(step - 1 - warmupSteps) / Double(max(1, steps - warmupSteps)))
    return end + (peak - end) * (1 + cosine(turns: progress / 2)) / 2
  }
}
