import Kernels

extension Tensor {
  /// The sum of all elements, in double precision.
  package func sum() -> Double {
    withUnsafePointer { kernels.sum($0, count: count) }
  }

  /// The sum of the squares of all elements, in double precision.
  package func sumOfSquares() -> Double {
    withUnsafePointer { kernels.sumOfSquares($0, count: count) }
  }

  /// The sum of the squares in the first `rows` rows, in double precision.
  package func sumOfSquares(rows: Int) -> Double {
    requireRows(rows)
    return withUnsafePointer { kernels.sumOfSquares($0, count: rows * shape.width) }
  }

  /// `Σ (self − other)²` over the first `rows` rows, in double precision.
  package func sumOfSquaredDifferences(from other: Tensor, rows: Int) -> Double {
    Tensor.requireSameShape(self, other)
    requireRows(rows)
    return withUnsafePointer { a in
      other.withUnsafePointer {
        kernels.sumOfSquaredDifferences(a, $0, count: rows * shape.width)
      }
    }
  }

  /// `Σ (self − other)²` over each item of the first axis, in double precision.
  package func squaredErrors(from other: Tensor) -> [Double] {
    Tensor.requireSameShape(self, other)
    guard shape.rank > 0, shape[0] > 0 else { return [] }
    let size = count / shape[0]
    return withUnsafePointer { a in
      other.withUnsafePointer { b in
        (0..<shape[0]).map {
          kernels.sumOfSquaredDifferences(a + $0 * size, b + $0 * size, count: size)
        }
      }
    }
  }

  /// `factor·(self − other)` in the first `rows` rows and zero in the others.
  package func scaledDifference(from other: Tensor, factor: Float, rows: Int) -> Tensor {
    Tensor.requireSameShape(self, other)
    requireRows(rows)
    let active = rows * shape.width
    return Tensor(shape) { target in
      withUnsafePointer { a in
        other.withUnsafePointer {
          kernels.scaledDifference(a, $0, factor: factor, count: active, into: target)
        }
      }
      (target + active).update(repeating: 0, count: count - active)
    }
  }

  /// The sum of the rows: `[…, width]` becomes `[width]`.
  package func sumOfRows() -> Tensor {
    Tensor([shape.width]) { target in
      withUnsafePointer {
        kernels.sumOfRows($0, rows: shape.rows, columns: shape.width, into: target)
      }
    }
  }

  /// Whether all elements are finite.
  package var isFinite: Bool {
    withUnsafePointer { kernels.allFinite($0, count: count, squared: false) }
  }

  /// Whether the squares of all elements are finite.
  package var hasFiniteSquares: Bool {
    withUnsafePointer { kernels.allFinite($0, count: count, squared: true) }
  }

  /// Whether no element is negative; NaN counts as negative.
  package var isNonnegative: Bool {
    withUnsafePointer { elements in (0..<count).allSatisfy { elements[$0] >= 0 } }
  }

  private func requireRows(_ rows: Int) {
    precondition(
      rows >= 0 && rows <= shape.rows, "\(rows) rows of a tensor of shape \(shape) do not exist")
  }
}
