import Tensors

/// `a + b`.
package enum Add: Function {
  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>
  ) -> Tensor {
    inputs[0] + inputs[1]
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    [gradient, gradient]
  }
}

/// `a − b`.
package enum Subtract: Function {
  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>
  ) -> Tensor {
    inputs[0] - inputs[1]
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    let negative = context.needsGradient[1] ? -1 * gradient : nil
    return [gradient, negative]
  }
}

/// `factor·a`; the factor is an attribute.
package enum Scale: Function {
  package static func forward(
    _ inputs: Inputs<Tensor>, _ factor: Float, _ context: inout Context<Self>
  ) -> Tensor {
    factor * inputs[0]
  }

  package static func backward(
    _ gradient: consuming Tensor, _ factor: Float, _ context: Context<Self>
  ) -> [Tensor?] {
    [factor * gradient]
  }
}

/// The sum of all elements, a scalar.
package enum Sum: Function {
  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>
  ) -> Tensor {
    context.save(inputs[0].shape)
    return Tensor(scalar: Float(inputs[0].sum()))
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    [Tensor(context.saved, repeating: gradient.scalar)]
  }

  package typealias Saved = Shape
}

/// The nearest integer, halves to even; its derivative is zero almost everywhere.
package enum Round: Function {
  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>
  ) -> Tensor {
    inputs[0].rounded()
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    [Tensor(zeros: gradient.shape)]
  }
}

extension Variable {
  package static func + (a: Variable, b: Variable) -> Variable { Add.apply([a, b]).output }

  package static func - (a: Variable, b: Variable) -> Variable { Subtract.apply([a, b]).output }

  package static func * (factor: Float, a: Variable) -> Variable {
    Scale.apply([a], factor).output
  }

  /// The sum of all elements.
  package func sum() -> Variable { Sum.apply([self]).output }

  /// Every element rounded to the nearest integer.
  package func rounded() -> Variable { Round.apply([self]).output }
}
