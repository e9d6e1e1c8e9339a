import Kernels
import Tensors
import TestSupport
import Testing

/// The formulas of van den Oord et al. (appendix A.1) with Sonnet's corrections, in Double.
private struct NaiveAverages {
  var codebook: [[Double]]
  var size: [Double]
  var sum: [[Double]]

  mutating func update(
    counts: [Double], sums: [[Double]], decay: Double, epsilon: Double, step: Int,
    movesUnused: Bool
  ) {
    let codewords = size.count
    var product = 1.0
    for _ in 0..<step { product *= decay }
    for k in 0..<codewords {
      size[k] = decay * size[k] + (1 - decay) * counts[k]
      for i in sum[k].indices { sum[k][i] = decay * sum[k][i] + (1 - decay) * sums[k][i] }
    }
    let corrected = size.map { $0 / (1 - product) }
    let total = corrected.reduce(0, +)
    for k in 0..<codewords where movesUnused || counts[k] > 0 {
      let smoothed = (corrected[k] + epsilon) / (total + Double(codewords) * epsilon) * total
      for i in sum[k].indices { codebook[k][i] = sum[k][i] / (1 - product) / smoothed }
    }
  }
}

@Suite("The codebook of moving averages") struct MovingAverageCodebookTests {
  /// Statistics of a batch in which the last codeword, and now and then another, is not chosen.
  private func statistics(
    codewords: Int, width: Int, _ generator: inout SeededGenerator
  ) -> (counts: Tensor, sums: Tensor) {
    let counts = (0..<codewords).map { k in
      k == codewords - 1 && k > 0 ? 0 : Float(generator.index(below: 6))
    }
    let sums = counts.flatMap { count in
      (0..<width).map { _ in count == 0 ? 0 : count * generator.uniform(-1, 1) }
    }
    return (Tensor([codewords], counts), Tensor([codewords, width], sums))
  }

  private func fresh(_ codebook: Tensor) -> MovingAverageCodebook {
    MovingAverageCodebook(
      codebook: codebook, size: Tensor(zeros: [codebook.shape[0]]),
      sum: Tensor(zeros: codebook.shape))
  }

  @Test(
    "five steps follow the formulas", arguments: SearchSizes.all.dropFirst(), [false, true])
  func fiveSteps(sizes: SearchSizes, movesUnused: Bool) {
    let (codewords, width) = (sizes.codewords, sizes.width)
    for (decay, epsilon) in [(0.99, 1e-5), (0.5, 1e-2)] {
      var generator = SeededGenerator(test: codewords)
      var averages = fresh(generator.tensor([codewords, width]))
      func rows(_ tensor: Tensor) -> [[Double]] {
        (0..<codewords).map {
          tensor.elements[$0 * width..<($0 + 1) * width].map(Double.init)
        }
      }
      var naive = NaiveAverages(
        codebook: rows(averages.codebook), size: Array(repeating: 0, count: codewords),
        sum: Array(repeating: Array(repeating: 0, count: width), count: codewords))
      for step in 1...5 {
        let (counts, sums) = statistics(codewords: codewords, width: width, &generator)
        averages.update(
          counts: counts, sums: sums, decay: decay, epsilon: epsilon, step: step,
          movesUnused: movesUnused)
        naive.update(
          counts: counts.elements.map(Double.init), sums: rows(sums), decay: decay,
          epsilon: epsilon, step: step, movesUnused: movesUnused)
      }
      // A handful of Float roundings a step.
      let shape = [codewords, width]
      let codebook = DoubleTensor(shape, naive.codebook.flatMap { $0 })
      expectClose(averages.codebook, codebook, tolerance: 1e-6, "codebook, decay \(decay)")
      expectClose(
        averages.size, DoubleTensor([codewords], naive.size), tolerance: 1e-6, "size")
      expectClose(
        averages.sum, DoubleTensor(shape, naive.sum.flatMap { $0 }), tolerance: 1e-6, "sum")
    }
  }

  @Test("a codeword that was never chosen stays, or falls to the origin", arguments: [false, true])
  func neverChosen(movesUnused: Bool) {
    var generator = SeededGenerator(test: 1)
    let codebook = generator.tensor([6, 4])
    var averages = fresh(codebook)
    for step in 1...5 {
      let (counts, sums) = statistics(codewords: 6, width: 4, &generator)
      averages.update(
        counts: counts, sums: sums, decay: 0.99, epsilon: 1e-5, step: step,
        movesUnused: movesUnused)
    }
    let last = Array(averages.codebook.elements.suffix(4))
    #expect(last == (movesUnused ? [0, 0, 0, 0] : Array(codebook.elements.suffix(4))))
  }

  @Test("the first step puts a codeword on the mean of its vectors")
  func firstStep() {
    var averages = fresh(Tensor(zeros: [2, 2]))
    averages.update(
      counts: Tensor([2], [4, 1]), sums: Tensor([2, 2], [8, -4, 3, 5]), decay: 0.99,
      epsilon: 1e-9, step: 1, movesUnused: true)
    // ε alone is 1e-9; the rest is rounding.
    expectClose(averages.codebook, DoubleTensor([2, 2], [2, -1, 3, 5]), tolerance: 1e-6)
  }

  @Test("a batch without a single code leaves everything finite", arguments: [false, true])
  func noCounts(movesUnused: Bool) {
    var generator = SeededGenerator(test: 2)
    let codebook = generator.tensor([5, 3])
    var averages = fresh(codebook)
    let (none, nothing) = (Tensor(zeros: [5]), Tensor(zeros: [5, 3]))
    averages.update(
      counts: none, sums: nothing, decay: 0.99, epsilon: 1e-5, step: 1, movesUnused: movesUnused)
    // There is nothing to average yet, so nothing moves.
    #expect(averages.codebook.elements == codebook.elements)
    #expect(averages.size.elements == none.elements && averages.sum.elements == nothing.elements)

    let (counts, sums) = statistics(codewords: 5, width: 3, &generator)
    averages.update(
      counts: counts, sums: sums, decay: 0.99, epsilon: 1e-5, step: 2, movesUnused: movesUnused)
    let before = averages.codebook
    averages.update(
      counts: none, sums: nothing, decay: 0.99, epsilon: 1e-5, step: 3, movesUnused: movesUnused)
    #expect(averages.codebook.isFinite && averages.size.isFinite && averages.sum.isFinite)
    if !movesUnused { #expect(averages.codebook.elements == before.elements) }
  }
}
