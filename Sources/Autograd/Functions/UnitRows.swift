import Tensors

/// Every row divided by its length: `y = x / max(‖x‖, ε)` with ε = 1e-12.
///
/// The gradient is that of a projection on the sphere, `(g − y·(y·g)) / ‖x‖`. Below ε the row is only scaled.
package enum UnitRows: Function {
  package struct Saved {
    let input: Tensor
    let output: Tensor
  }

  private static let minimum = 1e-12

  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>
  ) -> Tensor {
    var output = inputs[0]
    output.scaleRowsToUnitLength(minimum: minimum)
    context.save(Saved(input: inputs[0], output: output))
    return output
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    let (input, output) = (context.saved.input, context.saved.output)
    let (rows, width) = (input.shape.rows, input.shape.width)
    var gradient = gradient
    gradient.withUnsafeMutablePointer { gradient in
      input.withUnsafePointer { input in
        output.withUnsafePointer { output in
          for row in 0..<rows {
            let offset = row * width
            let (x, y, g) = (input + offset, output + offset, gradient + offset)
            var (square, product) = (0.0, 0.0)
            for i in 0..<width {
              square += Double(x[i]) * Double(x[i])
              product += Double(y[i]) * Double(g[i])
            }
            let length = square.squareRoot()
            let factor = Float(1 / max(length, minimum))
            let along = length > minimum ? Float(product) : 0
            for i in 0..<width { g[i] = (g[i] - along * y[i]) * factor }
          }
        }
      }
    }
    return [gradient]
  }
}

extension Variable {
  /// Every row divided by its length.
  package func withUnitRows() -> Variable { UnitRows.apply([self]).output }
}
