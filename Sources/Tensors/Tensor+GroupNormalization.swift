import KernelTypes
import Kernels

extension Tensor {
  /// Normalises groups of channels, image by image (see `GroupNormalization`).
  ///
  /// - Parameters:
  ///   - self: `[N, H, W, C]`.
  ///   - weight, bias: `[C]`.
  ///   - groups: a divisor of C.
  ///   - silu: whether SiLU is applied at the end.
  /// - Returns: the result, `[N, H, W, C]`, and the moments, which ``groupNormalizedBackward`` needs.
  package func groupNormalized(
    weight: Tensor, bias: Tensor, groups: Int, epsilon: Double, silu: Bool
  ) -> (result: Tensor, moments: Tensor) {
    let normalization = normalization(
      weight, bias, groups: groups, epsilon: epsilon, silu: silu)
    var result = Tensor(zeros: [])
    let moments = Tensor([shape[0], normalization.momentCount]) { moments in
      result = Tensor(shape) { result in
        withPointers(self, weight, bias) { images, weight, bias in
          withWorkspace(normalization.workspaceCount) {
            kernels.normalize(
              images, by: normalization, weight: weight, bias: bias, count: shape[0], into: result,
              moments: moments,
              workspace: $0)
          }
        }
      }
    }
    return (result, moments)
  }

  /// The gradients of ``groupNormalized`` with respect to its images, weight and bias.
  ///
  /// - Parameters:
  ///   - gradient: the gradient of its result; its memory is reused for the gradient of the images.
  ///   - moments: those that ``groupNormalized`` returned.
  package func groupNormalizedBackward(
    _ gradient: consuming Tensor, weight: Tensor, bias: Tensor, moments: Tensor, groups: Int,
    epsilon: Double, silu: Bool
  ) -> (images: Tensor, weight: Tensor, bias: Tensor) {
    Tensor.requireSameShape(self, gradient)
    let normalization = normalization(
      weight, bias, groups: groups, epsilon: epsilon, silu: silu)
    var biasGradient = Tensor(zeros: bias.shape)
    let weightGradient = Tensor(weight.shape) { weightGradient in
      biasGradient.withUnsafeMutablePointer { biasGradient in
        gradient.withUnsafeMutablePointer { gradient in
          withPointers(self, weight, bias) { images, weight, bias in
            moments.withUnsafePointer { moments in
              withWorkspace(normalization.workspaceCount) {
                kernels.normalizeBackward(
                  images, by: normalization, weight: weight, bias: bias, moments: moments,
                  count: shape[0],
                  gradient: gradient, weightGradient: weightGradient, biasGradient: biasGradient,
                  workspace: $0)
              }
            }
          }
        }
      }
    }
    return (gradient, weightGradient, biasGradient)
  }

  private func normalization(
    _ weight: Tensor, _ bias: Tensor, groups: Int, epsilon: Double, silu: Bool
  ) -> GroupNormalization {
    precondition(shape.rank == 4, "a normalisation takes [N, H, W, C], not \(shape)")
    precondition(
      groups > 0 && shape.width.isMultiple(of: groups),
      "\(shape.width) channels cannot be divided into \(groups) groups")
    precondition(
      weight.shape == [shape.width] && bias.shape == [shape.width],
      "weights \(weight.shape) and biases \(bias.shape) do not fit \(shape)")
    return GroupNormalization(
      positions: shape[1] * shape[2], channels: shape.width, groups: groups, epsilon: epsilon,
      silu: silu)
  }
}
