import Tensors

/// `max(x, 0)`. The derivative at 0 is taken as 0.
package enum ReLU: Function {
  package typealias Saved = Tensor

  package static func forward(
    _ inputs: [Tensor], _: Void, _ context: inout Context<Self>
  ) -> Tensor {
    let output = inputs[0].relu()
    context.save(output)
    return output
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    gradient.zero(whereNotPositive: context.saved)
    return [gradient]
  }
}

/// `max(x, 0)` of every element.
package func relu(_ x: Variable) -> Variable { ReLU.apply([x]).output }
