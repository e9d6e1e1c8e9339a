import Autograd
import Runtime
import Tensors

/// Scales the gradients of all parameters so that their joint Euclidean norm is at most a limit.
///
///     norm  = √(Σ over parameters of Σ g²)
///     scale = min(1, limit / (norm + 1e-6))
///
/// This is PyTorch's `clip_grad_norm_`, with its ε. The norm is summed in double precision, parameter by
/// parameter in the order of the model.
package struct GradientClipping: Sendable {
  package let limit: Double
  static let epsilon = 1e-6

  package init(limit: Double) {
    precondition(limit > 0, "a gradient cannot be clipped to a norm of \(limit)")
    self.limit = limit
  }

  /// The factor for gradients of a norm.
  package func scale(norm: Double) -> Double { min(1, limit / (norm + Self.epsilon)) }

  /// The joint norm of all gradients.
  ///
  /// - Parameters:
  ///   - ordered: the gradients in the order of the model's parameters, which is the order of the sum.
  ///   - pool: the threads. The sum does not depend on their number.
  package static func norm(of ordered: [Tensor], pool: WorkerPool) -> Double {
    let sums = Monitor([Double](repeating: 0, count: ordered.count))
    pool.forEach(count: ordered.count) { i in
      let sum = ordered[i].sumOfSquares()
      sums.withLock { $0[i] = sum }
    }
    return sums.withLock { $0.reduce(0, +) }.squareRoot()
  }
}
