import Autograd
import KernelTypes
import NN
import Options
import Tensors

/// How a codeword that no vector of a batch chose is updated.
package enum UnusedCodeword: String, CaseIterable, Sendable {
  /// It is kept. Its average does not change either: size and sum decay alike, and only the smoothing would
  /// move their quotient towards the origin.
  case keep
  /// It follows the formula, as in Sonnet: a codeword that was never chosen is at the origin.
  case origin
}

/// The quantizer whose codewords are moving averages of the vectors that chose them, `ema` (van den Oord et
/// al. 2017, appendix A.1; bias correction and smoothing as in Sonnet). Its loss is the commitment term
/// `β·‖z − sg[e]‖²`; the codebook has no gradient.
///
/// A batch is quantized with the current codebook. Then step t updates it:
///
///     size ← γ·size + (1 − γ)·counts           sum ← γ·sum + (1 − γ)·sums
///     size^ = size / (1 − γᵗ)                   sum^ = sum / (1 − γᵗ)
///     smoothed[k] = (size^[k] + ε) / (Σ size^ + K·ε) · Σ size^
///     codebook[k] = sum^[k] / smoothed[k]
package struct EMAQuantizer: CodebookQuantizer {
  package let vectors: Codebook
  /// β.
  package let commitment: Float
  /// The average count of each codeword, `[K]`.
  package let size: Parameter
  /// The average sum of the vectors that chose it, `[K, D]`.
  package let sum: Parameter
  /// γ.
  package let decay: Double
  /// ε of the Laplace smoothing.
  package let epsilon: Double
  package let unused: UnusedCodeword
  private let restart: CodebookRestart

  package init(
    _ codebook: Codebook, commitment: Float, decay: Double, epsilon: Double = 1e-5,
    unused: UnusedCodeword, restart: RestartOptions = RestartOptions()
  ) {
    precondition(codebook.parameter.role == .buffer, "averages make a codebook without a gradient")
    vectors = codebook
    self.commitment = commitment
    size = Parameter(
      "\(codebook.latent).ema.size", [codebook.codewords], initializer: .zeros, role: .buffer,
      isTrainingState: true,
      isNonnegative: true)
    sum = Parameter(
      "\(codebook.latent).ema.sum", codebook.parameter.shape, initializer: .zeros, role: .buffer,
      isTrainingState: true)
    self.decay = decay
    self.epsilon = epsilon
    self.unused = unused
    self.restart = CodebookRestart(restart, of: codebook)
  }

  package var parameters: [Parameter] { [vectors.parameter, size, sum] }

  package func quantize(_ z: Variable, in shard: ShardContext) -> Quantized {
    let (output, e, codes) = vectors.quantize(z)
    return Quantized(
      output: output, codes: codes,
      terms: [
        LossTerm("commitment", meanSquaredError(z, e.detach(), in: shard), weight: commitment)
      ],
      statistics: statistics(
        of: z.value, codes, validCount: shard.validCount * z.shape[1] * z.shape[2])
        + restart.statistics(from: z.value, in: shard))
  }

  // MARK: Averages

  package var statisticsShapes: [Shape] { [size.shape, sum.shape] + restart.statisticsShapes }

  /// How many vectors chose each codeword, `[K]`, and their sums, `[K, D]`.
  ///
  /// - Parameters:
  ///   - z: `[…, D]`.
  ///   - validCount: how many vectors are used, from the first; the others are padding.
  package func statistics(of z: Tensor, _ codes: Codes, validCount: Int) -> [Tensor] {
    let codes = Codes([validCount], Array(codes.indices.prefix(validCount)))
    var sums = Tensor(zeros: sum.shape)
    sums.scatterAdd(z, at: codes)
    return [codes.counts(codewords: vectors.codewords), sums]
  }

  package func update(_ state: inout ModelState, with statistics: [Tensor], step: Int) {
    precondition(step >= 1, "the first step is 1")
    let (counts, sums) = (statistics[0], statistics[1])
    guard counts.isFinite, sums.isFinite else { return }
    let (old, new) = (Float(decay), Float(1 - decay))
    state.values[size].average(counts, old: old, new: new)
    state.values[sum].average(sums, old: old, new: new)

    let (sizes, totals) = (state.values[size].elements, state.values[sum])
    let correction = 1 / (1 - power(decay, step))
    let total = state.values[size].sum() * correction
    guard total > 0 else { return }
    let smoothing = total / (total + Double(sizes.count) * epsilon)
    let chosen = counts.elements
    state.values[vectors.parameter].setRows { k in
      guard unused == .origin || chosen[k] > 0 else { return nil }
      let smoothed = (Double(sizes[k]) * correction + epsilon) * smoothing
      return (totals, Float(correction / smoothed))
    }
    let (rows, mean) = restart.perform(
      &state, codebook: vectors.parameter, averages: sizes, counts: counts,
      statistics: statistics.dropFirst(2), step: step)
    for k in rows {
      // As if the codeword had been chosen as often as the mean, by vectors equal to it.
      state.values[size].fillRow(k, with: mean)
      state.values[sum].setRow(k, to: state.values[vectors.parameter], row: k, factor: mean)
    }
  }

  package func prepare(
    _ state: inout ModelState, seed: UInt64, sample: (Int) throws -> Tensor
  ) throws {
    guard let counts = try vectors.start(&state, seed: seed, sample: sample) else { return }
    state.values[size] = counts
    let (centroids, factors) = (state.values[vectors.parameter], counts.elements)
    state.values[sum].setRows { (centroids, factors[$0]) }
  }

  package func adoptCodebook(_ state: inout ModelState) {
    guard state.values[size].sum() == 0 else { return }
    // As if each codeword had been chosen once, by a vector equal to it.
    state.values[size] = Tensor(size.shape, repeating: 1)
    state.values[sum] = state.values[vectors.parameter]
  }
}

/// How moving averages make a codebook.
package struct AverageOptions: Sendable, Equatable {
  /// γ.
  package var decay = 0.99
  /// ε of the Laplace smoothing.
  package var epsilon = 1e-5
  /// By default the architecture's.
  package var unused: UnusedCodeword?

  package init() {}
}

/// Options of a quantizer whose codebook may be moving averages.
package protocol AveragedQuantizerOptions: CodebookQuantizerOptions {
  var averages: AverageOptions { get set }
}

extension AveragedQuantizerOptions {
  /// The fields of the averages, and of the start that they go on from.
  static var averageFields: [Field<Self>] {
    [
      .number("decay", \.averages.decay, 0..<1, "γ of the moving averages"),
      .number("epsilon", \.averages.epsilon, 1e-12..<1, "ε of their smoothing"),
      initializationField,
      .optionalChoice(
        "ema_unused", \.averages.unused,
        "what becomes of a codeword nobody chose; by default the architecture's"),
    ]
  }

  mutating func completeAverages(from defaults: CodebookDefaults) {
    codebook.initialization = codebook.initialization ?? defaults.averagedInitialization
    averages.unused = averages.unused ?? defaults.unused
  }

  func averagedQuantizer(_ latent: String) -> EMAQuantizer {
    EMAQuantizer(
      Codebook(latent, codebook, role: .buffer), commitment: Float(codebook.commitment),
      decay: averages.decay, epsilon: averages.epsilon, unused: averages.unused ?? .keep,
      restart: codebook.restart)
  }
}

/// ``EMAQuantizer`` in a configuration.
package enum EMAKind: QuantizerKind {
  package struct Options: AveragedQuantizerOptions {
    package var codebook = CodebookOptions()
    package var averages = AverageOptions()

    package init() {}
  }

  package static let name = "ema"
  package static let fields: [Field<Options>] =
    Options.codebookFields + Options.averageFields + Options.restartFields

  package static func fault(in options: Options) -> FieldFault? {
    Options.restartFault(in: options)
  }

  package static func complete(_ options: inout Options, from defaults: CodebookDefaults) {
    options.completeAverages(from: defaults)
  }

  package static func quantizer(_ name: String, _ options: Options) -> any Quantizer {
    options.averagedQuantizer(name)
  }
}
