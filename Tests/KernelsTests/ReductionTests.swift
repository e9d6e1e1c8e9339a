import Kernels
import Tensors
import TestSupport
import Testing

@Suite("Reductions") struct ReductionTests {
  /// Integers up to a million: sums of their squares stay below 2⁵³, so they are exact in Double, though not
  /// in Float.
  private func integers(_ count: Int, test: Int) -> [Int] {
    var generator = SeededGenerator(test: test)
    return (0..<count).map { _ in generator.index(below: 2_000_001) - 1_000_000 }
  }

  @Test("sums that Double represents exactly are exact", arguments: oddLengths)
  func sums(count: Int) {
    let (a, b) = (integers(count, test: 1), integers(count, test: 2))
    let (x, y) = (a.map { Float($0) }, b.map { Float($0) })
    #expect(kernels.sum(x, count: count) == Double(a.reduce(0, +)))
    #expect(kernels.sumOfSquares(x, count: count) == Double(a.reduce(0) { $0 + $1 * $1 }))
    let differences = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    #expect(kernels.sumOfSquaredDifferences(x, y, count: count) == Double(differences))
  }

  @Test("a million small terms are not lost beside a large one")
  func smallBesideLarge() {
    // In Float the sum would stay at 2²⁴.
    var elements = [Float](repeating: 1, count: 1_000_001)
    elements[0] = 0x1p24
    #expect(Tensor([1_000_001], elements).sum() == 0x1p24 + 1_000_000)
  }

  @Test("the sum of the rows is exact", arguments: oddLengths)
  func rows(columns: Int) {
    for rows in [0, 1, 2, 17, 100] {
      // The sums are below 2²⁴, so exact in Float.
      let matrix = integers(rows * columns, test: rows).map { Float($0 / 10) }
      let sums = guarded(columns) {
        kernels.sumOfRows(matrix, rows: rows, columns: columns, into: $0)
      }
      let expected = (0..<columns).map { c in
        (0..<rows).reduce(Float(0)) { $0 + matrix[$1 * columns + c] }
      }
      #expect(sums == expected)
    }
    let tensor = Tensor([2, 3, 2], (1...12).map { Float($0) })
    #expect(tensor.sumOfRows().elements == [36, 42])
    #expect(tensor.sumOfRows().shape == [2])
  }

  @Test("a single NaN or infinity is found at every place", arguments: [1, 15, 16, 17, 33, 100])
  func finite(count: Int) {
    func isFinite(_ elements: [Float], _ count: Int) -> Bool {
      kernels.allFinite(elements, count: count, squared: false)
    }
    let elements = [Float](repeating: .greatestFiniteMagnitude, count: count)
    #expect(isFinite(elements, count))
    for place in 0..<count {
      for poison in [Float.nan, .infinity, -.infinity, .signalingNaN] {
        var poisoned = elements
        poisoned[place] = poison
        #expect(!isFinite(poisoned, count), "\(poison) at \(place)")
        // Elements beyond the end are not looked at.
        #expect(isFinite(poisoned, place))
      }
    }
    #expect(!Tensor([3], [.infinity, -.infinity, 0]).isFinite)
    #expect(Tensor(zeros: [0]).isFinite)
  }

  @Test("squared errors are summed over some rows, or for every item")
  func squaredErrors() {
    let a = Tensor([3, 1, 2], [1, 2, 3, 4, 5, 6])
    let b = Tensor([3, 1, 2], [1, 0, 0, 4, 5, -1])
    #expect(a.squaredErrors(from: b) == [4, 9, 49])
    #expect((0...3).map { a.sumOfSquaredDifferences(from: b, rows: $0) } == [0, 4, 13, 62])
    #expect(Tensor(zeros: [0, 2]).squaredErrors(from: Tensor(zeros: [0, 2])).isEmpty)
  }
}
