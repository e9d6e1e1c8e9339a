import Tensors

/// Group normalisation, optionally followed by SiLU; the formulas are in `GroupNormalization`.
///
/// Inputs: images `[N, H, W, C]`, a weight `[C]` and a bias `[C]`. Output: shaped like the images.
package enum GroupNormalize: Function {
  package struct Attributes {
    let groups: Int
    let epsilon: Double
    let silu: Bool
  }

  /// Only the inputs and the moments: what SiLU's gradient needs is recomputed.
  package struct Saved {
    let images: Tensor
    let weight: Tensor
    let bias: Tensor
    let moments: Tensor
  }

  package static func forward(
    _ inputs: Inputs<Tensor>, _ attributes: Attributes, _ context: inout Context<Self>
  ) -> Tensor {
    let (result, moments) = inputs[0].groupNormalized(
      weight: inputs[1], bias: inputs[2], groups: attributes.groups, epsilon: attributes.epsilon,
      silu: attributes.silu)
    context.save(
      Saved(images: inputs[0], weight: inputs[1], bias: inputs[2], moments: moments))
    return result
  }

  package static func backward(
    _ gradient: consuming Tensor, _ attributes: Attributes, _ context: Context<Self>
  ) -> [Tensor?] {
    let saved = context.saved
    let gradients = saved.images.groupNormalizedBackward(
      gradient, weight: saved.weight, bias: saved.bias, moments: saved.moments,
      groups: attributes.groups, epsilon: attributes.epsilon, silu: attributes.silu)
    return zip(context.needsGradient, [gradients.images, gradients.weight, gradients.bias])
      .map { $0 ? $1 : nil }
  }
}

/// ``GroupNormalize`` as a function of variables.
package func groupNormalize(
  _ images: Variable, weight: Variable, bias: Variable, groups: Int, epsilon: Double,
  silu: Bool
) -> Variable {
  GroupNormalize.apply(
    [images, weight, bias],
    GroupNormalize.Attributes(groups: groups, epsilon: epsilon, silu: silu)
  ).output
}
