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
  /// Moving averages of the gradients and of their squares, shaped like the parameters.
  package private(set) var firstMoments: ParameterValues
  package private(set) var secondMoments: ParameterValues

  /// Starts with zero moments.
  package init(_ parameters: [Parameter], options: Options) {
    let trained = parameters.filter { $0.role == .trained }
    let zeros = ParameterValues(
      Dictionary(uniqueKeysWithValues: trained.map { ($0.name, Tensor(zeros: $0.shape)) }))
    self.init(trained, options: options, firstMoments: zeros, secondMoments: zeros)
  }

  /// Goes on from saved moments.
  package init(
    _ parameters: [Parameter], options: Options, firstMoments: ParameterValues,
    secondMoments: ParameterValues
  ) {
    self.options = options
    self.parameters = parameters.filter { $0.role == .trained }
    self.firstMoments = firstMoments
    self.secondMoments = secondMoments
  }

  /// One step along `gradients`; a parameter without a gradient stays as it is.
  ///
  /// - Parameters:
  ///   - scale: what the gradients are multiplied by first (see ``GradientClipping``).
  ///   - step: 1 for the first.
  ///   - pool: the threads that share the work; no result depends on them.
  package mutating func update(
    _ values: inout ParameterValues, gradients: [String: Tensor], scale: Double = 1, step: Int,
    pool: WorkerPool
  ) {
    // A tensor that others refer to is copied before it is changed, so each is handed over.
    let updates = parameters.compactMap { parameter -> Monitor<Update>? in
      guard let gradient = gradients[parameter.name] else { return nil }
      return Monitor(
        Update(
          parameter: parameter, gradient: gradient, value: values.take(parameter),
          firstMoment: firstMoments.take(parameter), secondMoment: secondMoments.take(parameter)))
    }
    pool.forEach(count: updates.count) { [options] i in
      updates[i].withLock { $0.perform(options, scale: scale, step: step) }
    }
    for update in updates {
      update.withLock {
        values.putBack($0.value, as: $0.parameter)
        firstMoments.putBack($0.firstMoment, as: $0.parameter)
        secondMoments.putBack($0.secondMoment, as: $0.parameter)
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
