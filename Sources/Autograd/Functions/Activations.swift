import Tensors

/// `max(x, 0)`. The derivative at 0 is taken as 0.
package enum ReLU: Function {
  package typealias Saved = Tensor

  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>
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

/// The hyperbolic tangent. Its derivative is `1 − tanh(x)²`.
package enum Tanh: Function {
  package typealias Saved = Tensor

  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>
  ) -> Tensor {
    let output = inputs[0].tanh()
    context.save(output)
    return output
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    gradient.multiply(byOneMinusSquareOf: context.saved)
    return [gradient]
  }
}

/// The hyperbolic tangent of every element.
package func tanh(_ x: Variable) -> Variable { Tanh.apply([x]).output }
