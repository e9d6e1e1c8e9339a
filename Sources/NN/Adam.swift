import Autograd
import Runtime
import Tensors

/// Adam (Kingma and Ba 2015) over all trained parameters of a model, with the decoupled weight decay of
/// AdamW (Loshchilov and Hutter 2019).
///
/// Every parameter that is trained decays, biases and a trained codebook included, as PyTorch's AdamW
/// has it where it is told nothing else; one without a gradient stays as it is.
package struct Adam: Sendable {
  package struct Options: Sendable {
    package var learningRate = 1e-3
    package var beta1 = 0.9
    package var beta2 = 0.999
    package var epsilon = 1e-8

    /// λ: a step takes learningRate · λ of a parameter away, whatever its gradient is.
    package var weightDecay = 0.0

    package init(learningRate: Double, weightDecay: Double = 0) {
      self.learningRate = learningRate
      self.weightDecay = weightDecay
    }
  }

  package var options: Options
  private let parameters: [Parameter]

  /// - Parameter parameters: of which the trained ones are updated.
  package init(_ parameters: [Parameter], options: Options) {
    self.options = options
    self.parameters = parameters.filter { $0.role == .trained }
  }

  /// One step along the gradients; a parameter without a gradient stays as it is.
  ///
  /// - Parameters:
  ///   - gradient: that of a parameter, or nil if it has none.
  ///   - scale: what the gradients are multiplied by first (see ``GradientClipping``).
  ///   - step: 1 for the first.
  ///   - pool: the threads that share the work; no result depends on them.
  package func update(
    _ state: inout ModelState, scale: Double = 1, step: Int, pool: WorkerPool,
    gradient: (Parameter) -> Tensor?
  ) {
    // A tensor that others refer to is copied before it is changed, so each is handed over.
    let updates = parameters.compactMap { parameter -> Monitor<Update>? in
      guard let gradient = gradient(parameter) else { return nil }
      return Monitor(
        Update(
          parameter: parameter, gradient: gradient, value: state.values.take(parameter),
          firstMoment: state.firstMoments.take(parameter),
          secondMoment: state.secondMoments.take(parameter)))
    }
    pool.forEach(count: updates.count) { [options] i in
      updates[i].withLock { $0.perform(options, scale: scale, step: step) }
    }
    for update in updates {
      update.withLock {
        state.values.putBack($0.value, as: $0.parameter)
        state.firstMoments.putBack($0.firstMoment, as: $0.parameter)
        state.secondMoments.putBack($0.secondMoment, as: $0.parameter)
      }
    }
  }

  /// What belongs to one parameter.
  private struct Update {
    let parameter: Parameter
    let gradient: Tensor
    var value: Tensor
    var firstMoment: Tensor
    var secondMoment: Tensor

    mutating func perform(_ options: Options, scale: Double, step: Int) {
      value.adamStep(
        gradient: gradient, firstMoment: &firstMoment, secondMoment: &secondMoment,
        learningRate: options.learningRate, beta1: options.beta1, beta2: options.beta2,
        epsilon: options.epsilon, weightDecay: options.weightDecay, gradientScale: scale, step: step
      )
    }
  }
}
