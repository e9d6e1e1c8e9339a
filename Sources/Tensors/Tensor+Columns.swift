import Kernels

extension Tensor {
  /// Puts tensors side by side: `[…, a]`, `[…, b]` and so on become `[…, a + b + …]`.
  ///
  /// - Parameter parts: at least one; their extents but the last are equal.
  package init(columnsOf parts: [Tensor]) {
    guard let rows = parts.first?.shape.rows, let outer = parts.first?.shape.extents.dropLast()
    else {
      preconditionFailure("there is nothing to put side by side")
    }
    precondition(
      parts.allSatisfy { $0.shape.rank > 0 && $0.shape.extents.dropLast() == outer },
      "shapes \(parts.map(\.shape)) do not fit side by side")
    let width = parts.reduce(0) { $0 + $1.shape.width }
    self.init(Shape(outer + [width])) { target in
      var first = 0
      for part in parts {
        let columns = part.shape.width
        part.withUnsafePointer {
          copyColumns(
            $0, sourceWidth: columns, rows: rows, columns: columns, into: target + first,
            targetWidth: width)
        }
        first += columns
      }
    }
  }

  /// Some of the last extent: `[…, W]` becomes `[…, columns.count]`.
  package func columns(_ columns: Range<Int>) -> Tensor {
    precondition(
      shape.rank > 0 && columns.lowerBound >= 0 && columns.upperBound <= shape.width,
      "a tensor of shape \(shape) has no columns \(columns)")
    return Tensor(Shape(shape.extents.dropLast() + [columns.count])) { target in
      withUnsafePointer {
        copyColumns(
          $0 + columns.lowerBound, sourceWidth: shape.width, rows: shape.rows,
          columns: columns.count, into: target, targetWidth: columns.count)
      }
    }
  }
}
