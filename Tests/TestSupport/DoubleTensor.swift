import Tensors

/// A tensor in double precision, for slow and simple reference implementations.
package struct DoubleTensor: Equatable {
  package let shape: [Int]
  package var elements: [Double]

  package init(_ shape: [Int], _ elements: [Double]) {
    precondition(elements.count == shape.reduce(1, *), "the elements do not fill the shape")
    self.shape = shape
    self.elements = elements
  }

  package init(zeros shape: [Int]) {
    self.init(shape, Array(repeating: 0, count: shape.reduce(1, *)))
  }

  package init(_ tensor: Tensor) {
    self.init(tensor.shape.extents, tensor.elements.map(Double.init))
  }

  package subscript(_ index: Int...) -> Double {
    get { elements[offset(index)] }
    set { elements[offset(index)] = newValue }
  }

  private func offset(_ index: [Int]) -> Int {
    precondition(index.count == shape.count, "there must be one index for each axis")
    return zip(index, shape).reduce(0) { offset, pair in
      precondition(pair.0 >= 0 && pair.0 < pair.1, "an index is out of range")
      return offset * pair.1 + pair.0
    }
  }
}

extension SeededGenerator {
  /// A generator for test data.
  package init(test number: Int) {
    self.init(seed: UInt64(number), purpose: RandomPurpose(1), stream: 0)
  }

  /// A tensor of uniform numbers between −1 and 1.
  package mutating func tensor(_ shape: Shape) -> Tensor {
    var elements: [Float] = []
    for _ in 0..<shape.count { elements.append(uniform(-1, 1)) }
    return Tensor(shape, elements)
  }
}
