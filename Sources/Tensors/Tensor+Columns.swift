import Kernels

extension Tensor {
  /// Concatenates tensors along the last axis: `[…, a]`, `[…, b]` and so on become `[…, a + b + …]`.
  ///
  /// - Parameter parts: at least one; all extents but the last must be equal.
  package init(columnsOf parts: [Tensor]) {
    guard let rows = parts.first?.shape.rows, let outer = parts.first?.shape.extents.dropLast()
    else {
      preconditionFailure("there is nothing to concatenate")
    }
    precondition(
      parts.allSatisfy { $0.shape.rank > 0 && $0.shape.extents.dropLast() == outer },
      "shapes \(parts.map(\.shape)) cannot be concatenated along the last axis")
    let width = parts.reduce(0) { $0 + $1.shape.width }
    self.init(Shape(outer + [width])) { target in
      var first = 0
      for part in parts {
        let columns = part.shape.width
        part.withUnsafePointer {
          kernels.copyColumns(
            $0, sourceWidth: columns, rows: rows, columns: columns, into: target + first,
            targetWidth: width)
        }
        first += columns
      }
    }
  }

  /// A range of the last axis: `[…, W]` becomes `[…, columns.count]`.
  package func columns(_ columns: Range<Int>) -> Tensor {
    precondition(
      shape.rank > 0 && columns.lowerBound >= 0 && columns.upperBound <= shape.width,
      "a tensor of shape \(shape) has no columns \(columns)")
    return Tensor(Shape(shape.extents.dropLast() + [columns.count])) { target in
      withUnsafePointer {
        kernels.copyColumns(
          $0 + columns.lowerBound, sourceWidth: shape.width, rows: shape.rows,
          columns: columns.count, into: target, targetWidth: columns.count)
      }
    }
  }
}
