import KernelTypes
import Kernels

extension Tensor {
  /// One step of Adam or AdamW on a parameter, in place (see `AdamUpdate`). The packed forms of the parameter
  /// are made again at once: the next step needs them, and the elements are still in the cache.
  ///
  /// - Parameters:
  ///   - gradient, firstMoment, secondMoment: shaped like the parameter; the moments are updated.
  ///   - weightDecay: λ; 0 for Adam.
  ///   - gradientScale: a factor that the gradient is multiplied by first.
  ///   - step: the number of the step, 1 for the first.
  package mutating func adamStep(
    gradient: Tensor, firstMoment: inout Tensor, secondMoment: inout Tensor, learningRate: Double,
    beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double = 0,
    gradientScale: Double = 1, step: Int
  ) {
    precondition(
      gradient.shape == shape && firstMoment.shape == shape && secondMoment.shape == shape,
      "a gradient of shape \(gradient.shape) is not for a parameter of shape \(shape)")
    precondition(step >= 1, "the first step is 1")
    let update = AdamUpdate(
      learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
      weightDecay: weightDecay, gradientScale: gradientScale, step: step)
    let count = count
    let forms = packedForms?.names ?? []
    withUnsafeMutablePointer { parameters in
      firstMoment.withUnsafeMutablePointer { firstMoment in
        secondMoment.withUnsafeMutablePointer { secondMoment in
          gradient.withUnsafePointer {
            kernels.update(
              parameters, by: update, gradients: $0, firstMoment: firstMoment,
              secondMoment: secondMoment, count: count)
          }
        }
      }
    }
    for form in forms { _ = packed(form.operand) }
  }
}
