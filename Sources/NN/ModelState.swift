import Autograd
import Tensors

/// What training changes: the values of all parameters, and Adam's moments of the trained ones.
package struct ModelState: Sendable {
  package var values: ParameterValues
  /// Moving averages of the gradients and of their squares, with the shapes of the trained parameters.
  package var firstMoments: ParameterValues
  package var secondMoments: ParameterValues

  package init(
    values: ParameterValues, firstMoments: ParameterValues, secondMoments: ParameterValues
  ) {
    self.values = values
    self.firstMoments = firstMoments
    self.secondMoments = secondMoments
  }

  /// Values with zero moments for the trained parameters.
  package init(values: ParameterValues, momentsOf parameters: [Parameter]) {
    let zeros = ParameterValues(
      Dictionary(
        uniqueKeysWithValues: parameters.filter { $0.role == .trained }
          .map { ($0.name, Tensor(zeros: $0.shape)) }))
    self.init(values: values, firstMoments: zeros, secondMoments: zeros)
  }

  /// The initial state of a run.
  package init(initial parameters: [Parameter], seed: UInt64) {
    self.init(values: ParameterValues(initial: parameters, seed: seed), momentsOf: parameters)
  }
}
