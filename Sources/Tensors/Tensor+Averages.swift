extension Tensor {
  /// `self ← old·self + new·other`, element by element.
  package mutating func average(_ other: Tensor, old: Float, new: Float) {
    Tensor.requireSameShape(self, other)
    let count = count
    withUnsafeMutablePointer { target in
      other.withUnsafePointer { other in
        for i in 0..<count { target[i] = old * target[i] + new * other[i] }
      }
    }
  }

  /// Replaces rows by multiples of another tensor's rows.
  ///
  /// - Parameter row: the tensor whose row k replaces row k, and its factor; or nil to keep the row.
  package mutating func setRows(_ row: (_ k: Int) -> (source: Tensor, factor: Float)?) {
    let (rows, width) = (shape.rows, shape.width)
    withUnsafeMutablePointer { target in
      for k in 0..<rows {
        guard let (source, factor) = row(k) else { continue }
        precondition(source.shape.rows == rows && source.shape.width == width, "rows of one shape")
        source.withUnsafePointer { source in
          for i in (k * width)..<((k + 1) * width) { target[i] = factor * source[i] }
        }
      }
    }
  }
}
