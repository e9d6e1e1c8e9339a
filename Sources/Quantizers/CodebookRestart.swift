import Autograd
import NN
import Options
import Tensors

extension RandomPurpose {
  package static let restart = RandomPurpose(5)
}

/// When codewords that are hardly ever chosen are replaced.
package struct RestartOptions: Sendable, Equatable {
  /// Every how many steps; nil for never.
  package var every: Int?
  /// The last step with replacements; nil for no end.
  package var until: Int?
  /// A codeword is replaced if its average count is below this fraction of the mean of all codewords; nil for
  /// 0.03, which is one vector a step for 512 codewords and 256 images with 64 vectors each.
  package var below: Double?

  package init() {}

  package func isDue(_ step: Int) -> Bool {
    guard let every else { return false }
    return step > 0 && step.isMultiple(of: every) && step <= until ?? .max
  }
}

extension CodebookQuantizerOptions {
  package static var restartFields: [Field<Self>] {
    [
      .optionalInteger(
        "restart_every", \.codebook.restart.every, 1...1_000_000,
        "steps between replacements of unused codewords by vectors of the batch; by default never"),
      .optionalInteger(
        "restart_until", \.codebook.restart.until, 1...1_000_000_000,
        "the last step with replacements; by default no end"),
      .optionalNumber(
        "restart_below", \.codebook.restart.below, 1e-6..<1,
        "the fraction of the mean count below which a codeword is unused; by default 0.03"),
    ]
  }

  package static func restartFault(in options: Self) -> FieldFault? {
    let restart = options.codebook.restart
    guard restart.every == nil, restart != RestartOptions() else { return nil }
    return FieldFault(
      [restart.below != nil ? "restart_below" : "restart_until", "restart_every"],
      "restart_until and restart_below have no effect without restart_every")
  }
}

/// Replaces codewords that are hardly ever chosen by vectors of the batch, so that no part of a codebook stays
/// dead (Williams et al. 2020, "Hierarchical Quantized Autoencoders"; Dhariwal et al. 2020, "Jukebox").
///
/// The threshold is a fraction of the mean count, so it means the same for every batch size. Replacements are
/// drawn without repetition from the whole batch. The draw is a function of seed, step and latent, and each
/// shard contributes the drawn vectors that it has, so neither threads nor shards change it.
package struct CodebookRestart: Sendable {
  package let options: RestartOptions
  /// Names the random stream.
  private let latent: String
  /// Of the codebook, `[K, D]`.
  private let shape: Shape

  package init(_ options: RestartOptions, of codebook: Codebook) {
    self.options = options
    latent = codebook.latent
    shape = codebook.parameter.shape
  }

  package var isUsed: Bool { options.every != nil }

  package var statisticsShapes: [Shape] { isUsed ? [shape] : [] }

  /// The shard's share of the candidates, `[K, D]`. Row i is candidate i if the shard has it, and zero
  /// otherwise, so the sum over the shards has all of them. If the batch has fewer than K vectors, the last
  /// rows stay zero.
  package func statistics(from z: Tensor, in shard: ShardContext) -> [Tensor] {
    guard isUsed else { return [] }
    var result = Tensor(zeros: shape)
    guard options.isDue(shard.step) else { return [result] }
    let positions = z.shape.rows / z.shape[0]
    let total = shard.batchSize * positions
    let own = (shard.firstImage * positions)..<((shard.firstImage + shard.validCount) * positions)
    var generator = SeededGenerator(
      seed: shard.seed, purpose: .restart, stream: streamNumber(of: "\(latent) \(shard.step)"))
    let drawn = generator.sample(min(shape[0], total), of: total)
    for (i, position) in drawn.enumerated() where own.contains(position) {
      result.setRow(i, to: z, row: position - own.lowerBound)
    }
    return [result]
  }

  /// Replaces unused codewords, those with the smallest counts first, and sets Adam's moments of their rows to
  /// zero: they belong to the old codewords.
  ///
  /// - Parameters:
  ///   - codebook: the codewords.
  ///   - averages: the average count of each codeword.
  ///   - counts: how many vectors of the batch chose each codeword.
  ///   - statistics: the sums of ``statistics(from:in:)`` over the shards.
  /// - Returns: The rows replaced, and the mean of the averages.
  package func perform(
    _ state: inout ModelState, codebook: Parameter, averages: [Float], counts: Tensor,
    statistics: ArraySlice<Tensor>, step: Int
  ) -> (rows: [Int], mean: Float) {
    guard let candidates = statistics.first else { return ([], 0) }
    let available = Int(counts.sum())
    let mean = averages.reduce(0) { $0 + Double($1) } / Double(averages.count)
    guard options.isDue(step), mean > 0 else { return ([], Float(mean)) }
    let threshold = Float((options.below ?? 0.03) * mean)
    let unused = averages.indices.filter { averages[$0] < threshold }
      .sorted { (averages[$0], $0) < (averages[$1], $1) }
    let rows = Array(unused.prefix(available))
    for (candidate, k) in rows.enumerated() {
      state.values[codebook].setRow(k, to: candidates, row: candidate)
      guard codebook.role == .trained else { continue }
      state.firstMoments[codebook].fillRow(k, with: 0)
      state.secondMoments[codebook].fillRow(k, with: 0)
    }
    return (rows, Float(mean))
  }
}
