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
package func concatenate(_ parts: Variable...) -> Variable { concatenate(parts) }

package func concatenate(_ parts: [Variable]) -> Variable { Concatenate.apply(parts).output }

/// A range of the channels: `[…, W]` becomes `[…, columns.count]`. The others get a zero gradient.
package enum Columns: Function {
  /// The shape of the input.
  package typealias Saved = Shape

  package static func forward(
    _ inputs: Inputs<Tensor>, _ columns: Range<Int>, _ context: inout Context<Self>
  ) -> Tensor {
    context.save(inputs[0].shape)
    return inputs[0].columns(columns)
  }

  package static func backward(
    _ gradient: consuming Tensor, _ columns: Range<Int>, _ context: Context<Self>
  ) -> [Tensor?] {
    let outer = Array(context.saved.extents.dropLast())
    func zeros(_ width: Int) -> [Tensor] {
      width == 0 ? [] : [Tensor(zeros: Shape(outer + [width]))]
    }
    return [
      Tensor(
        columnsOf: zeros(columns.lowerBound) + [gradient]
          + zeros(context.saved.width - columns.upperBound))
    ]
  }
}

extension Variable {
  /// A range of the channels.
  package func columns(_ columns: Range<Int>) -> Variable { Columns.apply([self], columns).output }
}
