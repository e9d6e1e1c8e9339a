import Tensors

/// Each row divided by its root mean square.
///
///     r = √(mean of x² + ε)     y = x / r
///     ∂x = (∂y − y·mean(∂y·y)) / r
///
/// The gradient has no part along y, but for ε: only the direction of a row is left. ε guards rows near zero,
/// whose gradient would be divided by their length; with it, by at least √ε.
///
/// Input and output: `[…, D]`.
package enum NormalizeRows: Function {
  package typealias Attributes = Double

  package struct Saved {
    let output: Tensor
    /// r of each row.
    let roots: [Double]
  }

  package static func forward(
    _ inputs: Inputs<Tensor>, _ epsilon: Double, _ context: inout Context<Self>
  ) -> Tensor {
    let (output, roots) = inputs[0].normalizedRows(epsilon: epsilon)
    context.save(Saved(output: output, roots: roots))
    return output
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Double, _ context: Context<Self>
  ) -> [Tensor?] {
    gradient.normalizeRowsBackward(output: context.saved.output, roots: context.saved.roots)
    return [gradient]
  }
}

/// ``NormalizeRows`` as a function of a variable.
package func normalizeRows(_ x: Variable, epsilon: Double) -> Variable {
  NormalizeRows.apply([x], epsilon).output
}
