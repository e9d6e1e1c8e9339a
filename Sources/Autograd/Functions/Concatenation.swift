import Tensors

/// Tensors concatenated along the last axis: the channels of the first, then those of the second, and so on.
///
/// Inputs: `[…, a]`, `[…, b]` and so on, equal in all extents but the last. Output: `[…, a + b + …]`.
package enum Concatenate: Function {
  /// The channels of each input.
  package typealias Saved = [Int]

  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>
  ) -> Tensor {
    context.save(inputs.given.map(\.shape.width))
    return Tensor(columnsOf: inputs.given)
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    var first = 0
    var gradients: [Tensor?] = []
    for (channels, isNeeded) in zip(context.saved, context.needsGradient) {
      gradients.append(isNeeded ? gradient.columns(first..<(first + channels)) : nil)
      first += channels
    }
    return gradients
  }
}

/// ``Concatenate`` as a function of variables.
package func concatenate(_ parts: Variable...) -> Variable { Concatenate.apply(parts).output }
