extension Tensor {
  /// Each row divided by `√(mean of its squares + ε)`, and these roots.
  ///
  /// Computed in double precision, where the squares of Float cannot overflow.
  package func normalizedRows(epsilon: Double) -> (rows: Tensor, roots: [Double]) {
    let (rows, width) = (shape.rows, shape.width)
    var roots = [Double](repeating: 0, count: rows)
    let result = Tensor(shape) { target in
      withUnsafePointer { source in
        for n in 0..<rows {
          let row = (n * width)..<((n + 1) * width)
          let squares = row.reduce(0.0) { $0 + Double(source[$1]) * Double(source[$1]) }
          roots[n] = (squares / Double(width) + epsilon).squareRoot()
          for i in row { target[i] = Float(Double(source[i]) / roots[n]) }
        }
      }
    }
    return (result, roots)
  }

  /// The gradient of ``normalizedRows(epsilon:)``, in place: `(g − y·mean(g·y)) / root`, row by row.
  ///
  /// - Parameter output: y, the normalized rows.
  package mutating func normalizeRowsBackward(output: Tensor, roots: [Double]) {
    Tensor.requireSameShape(self, output)
    precondition(roots.count == shape.rows, "\(roots.count) roots for \(shape.rows) rows")
    let width = shape.width
    withUnsafeMutablePointer { gradient in
      output.withUnsafePointer { output in
        for n in roots.indices {
          let row = (n * width)..<((n + 1) * width)
          let mean =
            row.reduce(0.0) { $0 + Double(gradient[$1]) * Double(output[$1]) } / Double(width)
          for i in row {
            gradient[i] = Float((Double(gradient[i]) - Double(output[i]) * mean) / roots[n])
          }
        }
      }
    }
  }
}
