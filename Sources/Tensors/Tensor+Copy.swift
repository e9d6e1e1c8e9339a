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
