import Tensors

/// `factor · Σ (a − b)²` over the first `validCount` rows, a scalar.
///
/// With `factor = 1 / elements of the whole batch` the shards of a batch add up to its mean squared error.
/// The rows after the valid ones are padding: they add nothing, and their gradient is zero.
package enum SquaredError: Function {
  package struct Attributes {
    let factor: Float
    /// The number of rows (of all extents but the last) that count.
    let validCount: Int
  }

  package struct Saved {
    let a: Tensor
    let b: Tensor
  }

  package static func forward(
    _ inputs: Inputs<Tensor>, _ attributes: Attributes, _ context: inout Context<Self>
  ) -> Tensor {
    context.save(Saved(a: inputs[0], b: inputs[1]))
    let sum = inputs[0].sumOfSquaredDifferences(from: inputs[1], rows: attributes.validCount)
    return Tensor(scalar: Float(Double(attributes.factor) * sum))
  }

  package static func backward(
    _ gradient: consuming Tensor, _ attributes: Attributes, _ context: Context<Self>
  ) -> [Tensor?] {
    let factor = 2 * attributes.factor * gradient.scalar
    let (a, b) = (context.saved.a, context.saved.b)
    return [
      context.needsGradient[0]
        ? a.scaledDifference(from: b, factor: factor, rows: attributes.validCount) : nil,
      context.needsGradient[1]
        ? b.scaledDifference(from: a, factor: factor, rows: attributes.validCount) : nil,
    ]
  }
}

/// ``SquaredError`` as a function of variables.
///
/// - Parameter validCount: the number of rows (of all extents but the last) that count, from the first.
package func squaredError(
  _ a: Variable, _ b: Variable, factor: Float, rows validCount: Int
) -> Variable {
  SquaredError.apply([a, b], .init(factor: factor, validCount: validCount)).output
}
