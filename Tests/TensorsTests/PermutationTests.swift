import Tensors
import TestSupport
import Testing

@Suite("Permutation of axes") struct PermutationTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let shape: [Int]
    let axes: [Int]
    var testDescription: String { "\(shape) by \(axes)" }
  }

  static let cases = [
    Case(shape: [], axes: []), Case(shape: [5], axes: [0]),
    Case(shape: [3, 4], axes: [1, 0]), Case(shape: [3, 4], axes: [0, 1]),
    Case(shape: [2, 3, 4], axes: [2, 0, 1]), Case(shape: [2, 3, 4], axes: [1, 2, 0]),
    Case(shape: [5, 3, 2, 4], axes: [0, 3, 1, 2]), Case(shape: [5, 3, 2, 4], axes: [2, 3, 1, 0]),
    Case(shape: [1, 7, 1, 2], axes: [3, 2, 1, 0]),
    Case(shape: [2, 3, 1, 2, 3], axes: [4, 0, 3, 1, 2]),
    Case(shape: [3, 0, 2], axes: [2, 1, 0]),
  ]

  @Test("result[i₀, i₁, …] is the element whose index on axis axes[a] is iₐ", arguments: cases)
  func againstIndexArithmetic(testCase: Case) {
    let shape = Shape(testCase.shape)
    let tensor = Tensor(shape, (0..<shape.count).map { Float($0) })
    let result = tensor.permuted(testCase.axes)
    #expect(result.shape.extents == testCase.axes.map { testCase.shape[$0] })

    for (offset, element) in result.elements.enumerated() {
      // The index in the result, last axis first, mapped to the original axes.
      var index = [Int](repeating: 0, count: shape.rank)
      var rest = offset
      for (place, axis) in testCase.axes.enumerated().reversed() {
        index[axis] = rest % result.shape[place]
        rest /= result.shape[place]
      }
      let source = zip(index, testCase.shape).reduce(0) { $0 * $1.1 + $1.0 }
      #expect(element == Float(source))
    }
  }

  @Test("the inverse permutation restores the tensor", arguments: cases)
  func inverse(testCase: Case) {
    var generator = SeededGenerator(test: 1)
    let tensor = generator.tensor(Shape(testCase.shape))
    let inverse = testCase.axes.indices.map { testCase.axes.firstIndex(of: $0) ?? -1 }
    let back = tensor.permuted(testCase.axes).permuted(inverse)
    #expect(back.shape == tensor.shape && back.elements == tensor.elements)
  }
}
