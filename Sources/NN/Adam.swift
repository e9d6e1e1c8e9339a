import Autograd
import Runtime
import Tensors

/// Adam (Kingma and Ba 2015) over all trained parameters of a model, with the decoupled weight decay of
/// AdamW (Loshchilov and Hutter 2019).
///
/// Every trained parameter decays, biases and a trained codebook included, as in PyTorch's AdamW by default.
/// A parameter without a gradient is not changed.
package struct Adam: Sendable {
  package struct Options: Sendable {
    package var learningRate = 1e-3
    package var beta1 = 0.9
    package var beta2 = 0.999
    package var epsilon = 1e-8

    /// λ: a step subtracts learningRate · λ times the parameter, independently of its gradient.
    package var weightDecay = 0.0

    package init(learningRate: Double, weightDecay: Double = 0) {
      self.learningRate = learningRate
      self.weightDecay = weightDecay
    }
  }

  package var options: Options
  private let parameters: [Parameter]

  /// - Parameter parameters: only the trained ones are updated.
  package init(_ parameters: [Parameter], options: Options) {
    self.options = options
    self.parameters = parameters.filter { $0.role == .trained }
  }

  /// One step against the gradients. A parameter without a gradient is not changed.
  ///
  /// - Parameters:
  ///   - gradient: the gradient of a parameter, or nil if it has none.
  ///   - scale: a factor of all gradients (see ``GradientClipping``).
  ///   - step: 1 for the first.
  ///   - pool: the threads. The result does not depend on their number.
  package func update(
    _ state: inout ModelState, scale: Double = 1, step: Int, pool: WorkerPool,
    gradient: (Parameter) -> Tensor?
  ) {
    // A shared tensor would be copied before it is changed, so each update becomes the only owner of its
    // tensors.
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

  /// The tensors of one parameter.
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
