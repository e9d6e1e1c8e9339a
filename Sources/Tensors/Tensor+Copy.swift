extension Tensor {
  /// Overwrites the elements with those of a tensor of the same shape, in the memory that is there.
  package mutating func copyElements(of other: Tensor) {
    Tensor.requireSameShape(self, other)
    let count = count
    withUnsafeMutablePointer { target in
      other.withUnsafePointer { target.update(from: $0, count: count) }
    }
  }
}

/// Parts along the first axis.
extension Tensor {
  /// Some items of the first axis; no copy.
  package func items(_ range: Range<Int>) -> Tensor {
    precondition(
      shape.rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0],
      "\(range) is not within the first axis of \(shape)")
    let item = Shape(Array(shape.extents.dropFirst()))
    return slice(
      from: range.lowerBound * item.count, Shape([range.count] + item.extents))
  }

  /// Tensors one after another along the first axis; the other axes are equal.
  package init(joining parts: [Tensor]) {
    guard let first = parts.first else { preconditionFailure("there are no tensors to join") }
    let item = first.shape.extents.dropFirst()
    precondition(
      parts.allSatisfy { $0.shape.extents.dropFirst() == item }, "items of one shape are joined")
    self.init(Shape([parts.reduce(0) { $0 + $1.shape[0] }] + item)) { target in
      var next = target
      for part in parts {
        part.withUnsafePointer { next.update(from: $0, count: part.count) }
        next += part.count
      }
    }
  }
}

/// `self` is a table of rows here: `[K, D]`.
extension Tensor {
  /// Replaces a row by a multiple of another table's.
  package mutating func setRow(_ k: Int, to other: Tensor, row: Int, factor: Float = 1) {
    let width = shape.width
    precondition(
      k < shape.rows && row < other.shape.rows && other.shape.width == width,
      "row \(row) of \(other.shape) does not fit row \(k) of \(shape)")
    withUnsafeMutablePointer { target in
      other.withUnsafePointer { source in
        for i in 0..<width { target[k * width + i] = factor * source[row * width + i] }
      }
    }
  }

  /// Sets every element of a row; a vector's rows are its elements.
  package mutating func fillRow(_ k: Int, with value: Float) {
    let width = shape.rank == 1 ? 1 : shape.width
    precondition(k < count / max(width, 1), "\(shape) has no row \(k)")
    withUnsafeMutablePointer { ($0 + k * width).update(repeating: value, count: width) }
  }
}
