import Autograd
import NN
import Quantizers
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

@Suite("The codebook of moving averages") struct EMAQuantizerTests {
  /// A quantizer and its state.
  private struct Averages {
    let quantizer: EMAQuantizer
    var state: ModelState

    init(_ codebook: Tensor, decay: Double = 0.99, epsilon: Double = 1e-5, unused: UnusedCodeword) {
      quantizer = EMAQuantizer(
        Codebook(
          "q", codewords: codebook.shape[0], dimension: codebook.shape[1], initializer: .zeros,
          role: .buffer), commitment: 0.25, decay: decay, epsilon: epsilon, unused: unused)
      state = ModelState(initial: quantizer.parameters, seed: 1)
      state.values[quantizer.parameters[0]] = codebook
    }

    mutating func update(counts: Tensor, sums: Tensor, step: Int) {
      quantizer.update(&state, with: [counts, sums], step: step)
    }

    var codebook: Tensor { state.values[quantizer.parameters[0]] }
    var size: Tensor { state.values[quantizer.size] }
    var sum: Tensor { state.values[quantizer.sum] }
  }

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

  @Test(
    "five steps follow the formulas", arguments: [(2, 3), (5, 16), (33, 17), (64, 64)],
    UnusedCodeword.allCases)
  func fiveSteps(sizes: (codewords: Int, width: Int), unused: UnusedCodeword) {
    let (codewords, width) = sizes
    for (decay, epsilon) in [(0.99, 1e-5), (0.5, 1e-2)] {
      var generator = SeededGenerator(test: codewords)
      var averages = Averages(
        generator.tensor([codewords, width]), decay: decay, epsilon: epsilon, unused: unused)
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
        averages.update(counts: counts, sums: sums, step: step)
        naive.update(
          counts: counts.elements.map(Double.init), sums: rows(sums), decay: decay,
          epsilon: epsilon, step: step, movesUnused: unused == .origin)
      }
      // A few Float roundings per step.
      let shape = [codewords, width]
      let codebook = DoubleTensor(shape, naive.codebook.flatMap { $0 })
      expectClose(averages.codebook, codebook, tolerance: 1e-6, "codebook, decay \(decay)")
      expectClose(
        averages.size, DoubleTensor([codewords], naive.size), tolerance: 1e-6, "size")
      expectClose(
        averages.sum, DoubleTensor(shape, naive.sum.flatMap { $0 }), tolerance: 1e-6, "sum")
    }
  }

  @Test(
    "a codeword that was never chosen is kept, or moves to the origin",
    arguments: UnusedCodeword.allCases)
  func neverChosen(unused: UnusedCodeword) {
    var generator = SeededGenerator(test: 1)
    let codebook = generator.tensor([6, 4])
    var averages = Averages(codebook, unused: unused)
    for step in 1...5 {
      let (counts, sums) = statistics(codewords: 6, width: 4, &generator)
      averages.update(counts: counts, sums: sums, step: step)
    }
    let last = Array(averages.codebook.elements.suffix(4))
    #expect(last == (unused == .origin ? [0, 0, 0, 0] : Array(codebook.elements.suffix(4))))
  }

  @Test("the first step moves a codeword to the mean of its vectors")
  func firstStep() {
    var averages = Averages(Tensor(zeros: [2, 2]), epsilon: 1e-9, unused: .origin)
    averages.update(
      counts: Tensor([2], [4, 1]), sums: Tensor([2, 2], [8, -4, 3, 5]), step: 1)
    // ε alone is 1e-9; the rest is rounding.
    expectClose(averages.codebook, DoubleTensor([2, 2], [2, -1, 3, 5]), tolerance: 1e-6)
  }

  @Test(
    "a batch without a single code leaves everything finite", arguments: UnusedCodeword.allCases)
  func noCounts(unused: UnusedCodeword) {
    var generator = SeededGenerator(test: 2)
    let codebook = generator.tensor([5, 3])
    var averages = Averages(codebook, unused: unused)
    let (none, nothing) = (Tensor(zeros: [5]), Tensor(zeros: [5, 3]))
    averages.update(counts: none, sums: nothing, step: 1)
    // Without any vector so far, nothing changes.
    #expect(averages.codebook.elements == codebook.elements)
    #expect(averages.size.elements == none.elements && averages.sum.elements == nothing.elements)

    let (counts, sums) = statistics(codewords: 5, width: 3, &generator)
    averages.update(counts: counts, sums: sums, step: 2)
    let before = averages.codebook
    averages.update(counts: none, sums: nothing, step: 3)
    #expect(averages.codebook.isFinite && averages.size.isFinite && averages.sum.isFinite)
    if unused == .keep { #expect(averages.codebook.elements == before.elements) }
  }

  @Test("averages that are initialized from another run's codebook keep the codebook")
  func adopted() {
    var generator = SeededGenerator(test: 3)
    let codebook = generator.tensor([6, 4])
    var averages = Averages(codebook, unused: .origin)
    averages.quantizer.adoptCodebook(&averages.state)
    averages.update(counts: Tensor(zeros: [6]), sums: Tensor(zeros: [6, 4]), step: 1)
    // All counts are equal, so the smoothing changes nothing.
    expectClose(averages.codebook, codebook, tolerance: 1e-6)
  }
}
