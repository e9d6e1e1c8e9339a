import Tensors

/// `factor · Σ (a − b)²` over the first rows, a scalar.
///
/// With `factor = 1 / elements of the whole batch` the shards of a batch add up to its mean squared
/// error. Rows after the first `rows` are padding: they add nothing and get no gradient.
package enum SquaredError: Function {
  package struct Attributes {
    let factor: Float
    let rows: Int
  }

  package struct Saved {
    let a: Tensor
    let b: Tensor
  }

  package static func forward(
    _ inputs: Inputs<Tensor>, _ attributes: Attributes, _ context: inout Context<Self>
  ) -> Tensor {
    context.save(Saved(a: inputs[0], b: inputs[1]))
    let sum = inputs[0].sumOfSquaredDifferences(from: inputs[1], rows: attributes.rows)
    return Tensor(scalar: Float(Double(attributes.factor) * sum))
  }

  package static func backward(
    _ gradient: consuming Tensor, _ attributes: Attributes, _ context: Context<Self>
  ) -> [Tensor?] {
    let factor = 2 * attributes.factor * gradient.scalar
    let (a, b) = (context.saved.a, context.saved.b)
    return [
      context.needsGradient[0]
        ? a.scaledDifference(from: b, factor: factor, rows: attributes.rows) : nil,
      context.needsGradient[1]
        ? b.scaledDifference(from: a, factor: factor, rows: attributes.rows) : nil,
    ]
  }
}

/// ``SquaredError`` as a function of variables.
///
/// - Parameter rows: how many of the leading rows (of all extents but the last) count.
package func squaredError(_ a: Variable, _ b: Variable, factor: Float, rows: Int) -> Variable {
  SquaredError.apply([a, b], .init(factor: factor, rows: rows)).output
}
