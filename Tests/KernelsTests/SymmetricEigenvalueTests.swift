import BLAS
import Kernels
import Tensors
import TestSupport
import Testing

/// `dsyev` is backward stable: the error of an eigenvalue is a small multiple of 2⁻⁵³ of the largest one, so
/// 1e-12 of the largest is generous, and still far below the effect of a wrong element.
@Suite("Eigenvalues of symmetric matrices") struct SymmetricEigenvalueTests {
  private func eigenvalues(_ matrix: [Double], order: Int) -> [Double]? {
    var matrix = matrix
    var result = [Double](repeating: .nan, count: order)
    let converged = symmetricEigenvalues(&matrix, order: order, into: &result)
    return converged ? result : nil
  }

  private func expectEigenvalues(
    _ matrix: [Double], _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let actual = try #require(
      eigenvalues(matrix, order: expected.count), sourceLocation: sourceLocation)
    let scale = expected.reduce(1e-300) { max($0, abs($1)) }
    for (a, e) in zip(actual, expected) {
      #expect(abs(a - e) <= 1e-12 * scale, sourceLocation: sourceLocation)
    }
  }

  @Test("the eigenvalues of a diagonal matrix are its diagonal, in ascending order")
  func diagonal() throws {
    try expectEigenvalues([3, 0, 0, 0, -1, 0, 0, 0, 2], [-1, 2, 3])
    try expectEigenvalues([7], [7])
    try expectEigenvalues([0, 0, 0, 0], [0, 0])
  }

  @Test("2×2 matrices have their known eigenvalues")
  func twoByTwo() throws {
    try expectEigenvalues([2, 1, 1, 2], [1, 3])
    try expectEigenvalues([1, 2, 2, -2], [-3, 2])
  }

  @Test("only the lower triangle is read")
  func lowerTriangle() throws {
    try expectEigenvalues([2, 99, 1, 2], [1, 3])
  }

  @Test("v·vᵀ has one nonzero eigenvalue, ‖v‖²", arguments: [2, 3, 8, 33])
  func rankOne(order: Int) throws {
    var generator = SeededGenerator(test: order)
    let v = (0..<order).map { _ in Double(generator.uniform(-1, 1)) }
    let matrix = v.flatMap { a in v.map { a * $0 } }
    let norm = v.reduce(0) { $0 + $1 * $1 }
    try expectEigenvalues(matrix, Array(repeating: 0, count: order - 1) + [norm])
  }

  @Test(
    "they sum to the trace, and their squares to the sum of the squared elements",
    arguments: [1, 2, 5, 16, 64])
  func invariants(order: Int) throws {
    var generator = SeededGenerator(test: order)
    var matrix = [Double](repeating: 0, count: order * order)
    for i in 0..<order {
      for j in 0...i {
        matrix[i * order + j] = Double(generator.uniform(-1, 1))
        matrix[j * order + i] = matrix[i * order + j]
      }
    }
    let values = try #require(eigenvalues(matrix, order: order))
    let trace = (0..<order).reduce(0) { $0 + matrix[$1 * (order + 1)] }
    let squares = matrix.reduce(0) { $0 + $1 * $1 }
    #expect(values == values.sorted())
    #expect(abs(values.reduce(0, +) - trace) <= 1e-12 * squares.squareRoot() * Double(order))
    #expect(abs(values.reduce(0) { $0 + $1 * $1 } - squares) <= 1e-12 * squares)
  }

  @Test("a matrix with NaN has no eigenvalues")
  func notANumber() {
    #expect(eigenvalues([1, 0, .nan, 1], order: 2) == nil)
  }
}
