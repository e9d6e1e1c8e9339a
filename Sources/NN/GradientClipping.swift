import Autograd
import Runtime
import Tensors

/// Shortens the gradient of all parameters together where its Euclidean norm is above a limit.
///
///     norm  = √(Σ over parameters of Σ g²)
///     scale = min(1, limit / (norm + 1e-6))
///
/// That is PyTorch's `clip_grad_norm_`, with its ε; the norm is added up in double precision, parameter
/// after parameter in the order of the model.
package struct GradientClipping: Sendable {
  package let limit: Double
  static let epsilon = 1e-6

  package init(limit: Double) {
    precondition(limit > 0, "a gradient cannot be clipped to a norm of \(limit)")
    self.limit = limit
  }

  /// What gradients of a norm are to be multiplied by.
  package func scale(norm: Double) -> Double { min(1, limit / (norm + Self.epsilon)) }

  /// The norm of all gradients together.
  ///
  /// - Parameters:
  ///   - ordered: in the order of the sum, that of the model's parameters.
  ///   - pool: the threads that share the work; the sum does not depend on them.
  package static func norm(of ordered: [Tensor], pool: WorkerPool) -> Double {
    let sums = Monitor([Double](repeating: 0, count: ordered.count))
    pool.forEach(count: ordered.count) { i in
      let sum = ordered[i].sumOfSquares()
      sums.withLock { $0[i] = sum }
    }
    return sums.withLock { $0.reduce(0, +) }.squareRoot()
  }
}
