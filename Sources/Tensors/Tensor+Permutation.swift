extension Tensor {
  /// The same elements with the axes in another order: axis i of the result is axis `axes[i]` here.
  package func permuted(_ axes: [Int]) -> Tensor {
    precondition(
      axes.sorted() == Array(0..<shape.rank), "\(axes) is not a permutation of the axes of \(shape)"
    )
    var strides = [Int](repeating: 1, count: shape.rank)
    for axis in (0..<shape.rank).dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    let target = Shape(axes.map { shape[$0] })
    let steps = axes.map { strides[$0] }
    let elements = elements
    var index = [Int](repeating: 0, count: shape.rank)
    var source = 0
    var result: [Float] = []
    result.reserveCapacity(count)
    for _ in 0..<count {
      result.append(elements[source])
      // Counts up like an odometer, the last axis fastest.
      var axis = target.rank - 1
      while axis >= 0 {
        index[axis] += 1
        source += steps[axis]
        if index[axis] < target[axis] { break }
        source -= steps[axis] * target[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return Tensor(target, result)
  }
}
