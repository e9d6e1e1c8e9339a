import Tensors

/// The matrix product `a · b` of `[M, K]` and `[K, N]`.
///
///     ∂L/∂a = g · bᵀ        ∂L/∂b = aᵀ · g
package enum MatrixProduct: Function {
  package struct Saved {
    let a: Tensor
    let b: Tensor
  }

  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>
  ) -> Tensor {
    context.save(Saved(a: inputs[0], b: inputs[1]))
    return inputs[0].matrixProduct(inputs[1])
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    let (a, b) = (context.saved.a, context.saved.b)
    return [
      context.needsGradient[0] ? gradient.matrixProduct(b, transposing: .right) : nil,
      context.needsGradient[1] ? a.matrixProduct(gradient, transposing: .left) : nil,
    ]
  }
}

extension Variable {
  /// The matrix product with another matrix.
  package func matrixProduct(_ other: Variable) -> Variable {
    MatrixProduct.apply([self, other]).output
  }
}
