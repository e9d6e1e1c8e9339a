import Tensors
import TestSupport
import Testing

/// The covariance of floats is computed in double precision; 1e-12 of the largest eigenvalue allows many
/// roundings of 2⁻⁵³, and is far below the effect of any mistake.
@Suite("Eigenvalues of a covariance") struct CovarianceTests {
  @Test("points on the axes have the variances along the axes")
  func axes() throws {
    // Variances 4·2/4 = 2 and 1·2/4 = 0.5 about the mean (10, −7).
    let points = Tensor([4, 2], [12, -7, 8, -7, 10, -6, 10, -8])
    let values = try #require(points.covarianceEigenvalues())
    #expect(abs(values[0] - 0.5) < 1e-12 && abs(values[1] - 2) < 1e-12)
  }

  @Test("points on a line have one nonzero eigenvalue", arguments: [2, 5, 16])
  func line(width: Int) throws {
    var generator = SeededGenerator(test: width)
    let places = (0..<20).map { _ in Float(generator.index(below: 17) - 8) }
    // Integer steps, so that the points lie exactly on the line.
    let points = Tensor([20, width], places.flatMap { t in (0..<width).map { t * Float($0 + 1) } })
    let values = try #require(points.covarianceEigenvalues())
    let mean = places.reduce(0) { $0 + Double($1) } / 20
    let variance = places.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 20
    let norm = (1...width).reduce(0.0) { $0 + Double($1 * $1) }
    #expect(abs(values[width - 1] - variance * norm) < 1e-12 * variance * norm)
    #expect(values.dropLast().allSatisfy { abs($0) < 1e-12 * variance * norm })
  }

  @Test("their sum is the sum of the variances of the columns", arguments: [1, 3, 17, 64])
  func trace(width: Int) throws {
    var generator = SeededGenerator(test: width)
    let rows = 50
    let points = generator.tensor([rows, width])
    let values = try #require(points.covarianceEigenvalues())
    #expect(values.count == width && values == values.sorted())
    var total = 0.0
    for column in 0..<width {
      let x = (0..<rows).map { Double(points.elements[$0 * width + column]) }
      let mean = x.reduce(0, +) / Double(rows)
      total += x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows)
    }
    #expect(abs(values.reduce(0, +) - total) < 1e-12 * total)
    // 50 points span 49 dimensions at most.
    if width > 49 { #expect(values.prefix(width - 49).allSatisfy { abs($0) < 1e-12 }) }
  }

  @Test("no rows and NaN give nil; one row gives only zeros")
  func degenerate() {
    #expect(Tensor(zeros: [0, 3]).covarianceEigenvalues() == nil)
    #expect(Tensor([2, 2], [1, 2, .nan, 3]).covarianceEigenvalues() == nil)
    #expect(Tensor([1, 3], [5, 6, 7]).covarianceEigenvalues() == [0, 0, 0])
  }
}
