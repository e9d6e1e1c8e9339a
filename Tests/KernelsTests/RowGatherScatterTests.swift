import Kernels
import Tensors
import TestSupport
import Testing

@Suite("Gathering and scattering rows by codes") struct RowGatherScatterTests {
  static let sizes = [
    SearchSizes(1, 1, 1), SearchSizes(0, 3, 4), SearchSizes(7, 3, 15), SearchSizes(16, 16, 16),
    SearchSizes(33, 5, 17), SearchSizes(200, 512, 64), SearchSizes(1000, 2, 3),
    SearchSizes(50, 31, 33), SearchSizes(5, 9, 100),
  ]

  /// Every third code is invalid.
  private func codes(_ sizes: SearchSizes, _ generator: inout SeededGenerator) -> Codes {
    let indices = (0..<sizes.vectors).map { n in
      n % 3 == 2 ? Codes.invalid : Int32(generator.index(below: sizes.codewords))
    }
    return Codes([sizes.vectors], indices)
  }

  @Test("each code gathers its row, byte for byte; an invalid one gives NaN", arguments: sizes)
  func gather(sizes: SearchSizes) {
    var generator = SeededGenerator(test: 1)
    let table = generator.tensor([sizes.codewords, sizes.width])
    let codes = codes(sizes, &generator)
    let rows = table.rows(at: codes)
    #expect(rows.shape == [sizes.vectors, sizes.width])
    let expected = codes.indices.flatMap { code -> [Float] in
      guard code >= 0 else { return Array(repeating: .nan, count: sizes.width) }
      return Array(table.elements[Int(code) * sizes.width..<(Int(code) + 1) * sizes.width])
    }
    #expect(bits(rows.elements) == bits(expected))
  }

  @Test("rows of equal code accumulate, and are added to the old contents", arguments: sizes)
  func scatterAdd(sizes: SearchSizes) {
    var generator = SeededGenerator(test: 2)
    // Integers, so that the sums are exact in any order.
    func integers(_ shape: Shape) -> Tensor {
      Tensor(shape, (0..<shape.count).map { _ in Float(generator.index(below: 201) - 100) })
    }
    let before = integers([sizes.codewords, sizes.width])
    let rows = integers([sizes.vectors, sizes.width])
    let codes = codes(sizes, &generator)
    var table = before
    table.scatterAdd(rows, at: codes)

    var expected = before.elements
    for (n, code) in codes.indices.enumerated() where code >= 0 {
      for i in 0..<sizes.width {
        expected[Int(code) * sizes.width + i] += rows.elements[n * sizes.width + i]
      }
    }
    #expect(table.elements == expected)
  }

  @Test("three gradients for one codeword are summed, not overwritten")
  func duplicatesAccumulate() {
    var table = Tensor(zeros: [3, 2])
    table.scatterAdd(
      Tensor([4, 2], [1, 10, 2, 20, 4, 40, 8, 80]), at: Codes([4], [1, 1, 2, 1]))
    #expect(table.elements == [0, 0, 11, 110, 4, 40])
  }

  @Test("an invalid code adds nothing, whatever its row contains")
  func invalidAddsNothing() {
    var table = Tensor([2, 2], [1, 2, 3, 4])
    table.scatterAdd(Tensor([2, 2], [.nan, .infinity, 5, 6]), at: Codes([2], [Codes.invalid, 0]))
    #expect(table.elements == [6, 8, 3, 4])
  }

  @Test("rows beyond the codes are ignored, such as those of a padded shard")
  func surplusRows() {
    var table = Tensor(zeros: [2, 1])
    table.scatterAdd(Tensor([3, 1], [1, 2, 100]), at: Codes([2], [1, 1]))
    #expect(table.elements == [0, 3])
  }

  @Test("every code is counted once, an invalid one not at all", arguments: sizes)
  func counts(sizes: SearchSizes) {
    var generator = SeededGenerator(test: 3)
    let codes = codes(sizes, &generator)
    let counts = codes.counts(codewords: sizes.codewords)
    let expected = (0..<sizes.codewords).map { k in
      Float(codes.indices.count { $0 == Int32(k) })
    }
    #expect(counts.elements == expected)
  }

  @Test("gathered rows have the shape of the codes, then the width")
  func shapes() {
    let table = Tensor([2, 3], [1, 2, 3, 4, 5, 6])
    #expect(table.rows(at: Codes([1, 2, 2], [0, 1, 1, 0])).shape == [1, 2, 2, 3])
    #expect(table.rows(at: Codes([], [1])).shape == [3])
    #expect(Codes([4], [0, 1, 1, 0]).reshaped([2, 2]).shape == [2, 2])
  }
}
