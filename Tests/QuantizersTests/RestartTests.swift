import Autograd
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

@Suite("Restarts of unused codewords") struct RestartTests {
  private static let (codewords, width) = (6, 2)
  /// Two images of 2×2 positions; all vectors differ.
  private let vectors = Tensor([2, 2, 2, 2], (0..<16).map { Float($0 + 1) })

  private func options(
    _ change: (inout RestartOptions) -> Void = { _ in }
  ) -> RestartOptions {
    var result = RestartOptions()
    result.every = 1
    change(&result)
    return result
  }

  private func codebook(_ role: Parameter.Role) -> Codebook {
    Codebook(
      "q", codewords: Self.codewords, dimension: Self.width, initializer: .fill, role: role)
  }

  private func statistics(
    _ quantizer: some Quantizer, _ values: ParameterValues, step: Int,
    shards: [Range<Int>] = [0..<2]
  ) -> [Tensor] {
    let parts = shards.map { images in
      let tape = Tape(values)
      let shard = ShardContext(
        validCount: images.count, batchSize: 2, firstImage: images.lowerBound, seed: 7, step: step)
      return quantizer.quantize(tape.constant(vectors.items(images)), in: shard).statistics
    }
    return parts.dropFirst().reduce(parts[0]) { zip($0, $1).map { $0 + $1 } }
  }

  /// The vectors of the batch, by row.
  private var rows: [[Float]] {
    (0..<8).map { Array(vectors.elements[($0 * 2)..<($0 * 2 + 2)]) }
  }

  private func row(_ k: Int, of table: Tensor) -> [Float] {
    Array(table.elements[(k * Self.width)..<((k + 1) * Self.width)])
  }

  @Test(
    "with moving averages: codeword, count and sum of an unused codeword become those of a vector")
  func averages() {
    let quantizer = EMAQuantizer(
      codebook(.buffer), commitment: 0.25, decay: 0.9, unused: .keep, restart: options())
    var state = ModelState(initial: quantizer.parameters, seed: 1)
    // All vectors are nearest to codeword 5; the others are never chosen.
    state.values[quantizer.vectors.parameter] = Tensor(
      [6, 2], [-9, -9, -9, -8, -9, -7, -9, -6, -9, -5, 8, 8])
    quantizer.update(&state, with: statistics(quantizer, state.values, step: 1), step: 1)
    let table = state.values[quantizer.vectors.parameter]
    let (size, sum) = (state.values[quantizer.size], state.values[quantizer.sum])
    // 8 vectors of weight 0.1 for 6 codewords.
    let mean = size.elements[0]
    #expect(abs(mean - 0.8 / 6) < 1e-6)
    var drawn: Set<[Float]> = []
    for k in 0..<5 {
      #expect(rows.contains(row(k, of: table)))
      drawn.insert(row(k, of: table))
      #expect(size.elements[k] == mean)
      #expect(row(k, of: sum) == row(k, of: table).map { mean * $0 })
    }
    #expect(drawn.count == 5, "drawn without repetition")
    #expect(abs(size.elements[5] - 0.8) < 1e-6)
  }

  @Test("with a codebook loss: Adam's moments of the row are zero, those of others stay")
  func moments() {
    let quantizer = VectorQuantizer(codebook(.trained), commitment: 0.25, restart: options())
    let parameter = quantizer.vectors.parameter
    var state = ModelState(initial: quantizer.parameters, seed: 1)
    state.values[parameter] = Tensor([6, 2], [-9, -9, -9, -8, 3, 4, -9, -6, 13, 14, -9, -1])
    state.firstMoments[parameter] = Tensor([6, 2], repeating: 0.5)
    state.secondMoments[parameter] = Tensor([6, 2], repeating: 0.25)
    quantizer.update(&state, with: statistics(quantizer, state.values, step: 1), step: 1)
    for k in 0..<6 {
      let isUsed = [2, 4].contains(k)
      #expect(row(k, of: state.firstMoments[parameter]) == (isUsed ? [0.5, 0.5] : [0, 0]))
      #expect(row(k, of: state.secondMoments[parameter]) == (isUsed ? [0.25, 0.25] : [0, 0]))
      #expect(rows.contains(row(k, of: state.values[parameter])))
    }
  }

  @Test("the draw depends on seed and step alone, not on the shards")
  func shards() {
    let quantizer = VectorQuantizer(codebook(.trained), commitment: 0.25, restart: options())
    let state = ModelState(initial: quantizer.parameters, seed: 1)
    let whole = statistics(quantizer, state.values, step: 3)
    let parts = statistics(quantizer, state.values, step: 3, shards: [0..<1, 1..<2])
    #expect(whole.map(\.elements) == parts.map(\.elements))
    let later = statistics(quantizer, state.values, step: 4)
    #expect(whole[1].elements != later[1].elements)
    // Candidates are vectors of the whole batch, without repetition.
    let candidates = (0..<6).map { row($0, of: whole[1]) }
    #expect(Set(candidates).count == 6 && candidates.allSatisfy(rows.contains))
  }

  @Test("the threshold is a fraction of the mean: more images of the same kind change nothing")
  func threshold() {
    for scale: Float in [1, 64] {
      let restart = CodebookRestart(
        options { $0.below = 0.5 }, of: codebook(.trained))
      var state = ModelState(initial: [codebook(.trained).parameter], seed: 1)
      let averages: [Float] = [10, 1, 0, 10, 2.3, 1.7].map { $0 * scale }
      let found = restart.perform(
        &state, codebook: codebook(.trained).parameter, averages: averages,
        counts: Tensor([6], repeating: 8 * scale),
        statistics: [Tensor([6, 2], (0..<12).map { Float($0 + 1) })], step: 1)
      // The mean is 25 / 6, its half 2.08; the least count first.
      #expect(found.rows == [2, 1, 5])
      #expect(abs(found.mean / scale - 25.0 / 6) < 1e-5)
      #expect(row(2, of: state.values[codebook(.trained).parameter]) == [1, 2])
      #expect(row(1, of: state.values[codebook(.trained).parameter]) == [3, 4])
    }
  }

  @Test("only at the steps asked for, and not without any candidate")
  func schedule() {
    let every = options {
      $0.every = 10
      $0.until = 30
    }
    #expect((1...50).filter(every.isDue) == [10, 20, 30])
    #expect((1...50).filter(RestartOptions().isDue).isEmpty)
    let restart = CodebookRestart(options(), of: codebook(.trained))
    var state = ModelState(initial: [codebook(.trained).parameter], seed: 1)
    let found = restart.perform(
      &state, codebook: codebook(.trained).parameter, averages: [1, 0, 0, 0, 0, 0],
      counts: Tensor([6], [2, 0, 0, 0, 0, 0]),
      statistics: [Tensor([6, 2], repeating: 3)], step: 1)
    // The batch had two vectors.
    #expect(found.rows == [1, 2])
  }

  @Test("settings without effect are errors")
  func faults() {
    var options = VQKind.Options()
    #expect(VQKind.fault(in: options) == nil)
    options.codebook.restart.below = 0.1
    #expect(VQKind.fault(in: options)?.fields == ["restart_below", "restart_every"])
    options.codebook.restart.every = 5
    #expect(VQKind.fault(in: options) == nil)
  }
}

extension Initializer {
  /// Codewords that are no vectors.
  fileprivate static var fill: Initializer { .uniform(bound: 0.1) }
}
