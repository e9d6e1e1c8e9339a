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

  /// - Parameter name: the name of the latent.
  package init(
    _ name: String, _ codebook: Codebook, commitment: Float, decay: Double, epsilon: Double = 1e-5,
    unused: UnusedCodeword
  ) {
    precondition(codebook.parameter.role == .buffer, "averages make a codebook without a gradient")
    vectors = codebook
    self.commitment = commitment
    size = Parameter(
      "\(name).ema.size", [codebook.codewords], initializer: .zeros, role: .buffer,
      isTrainingState: true,
      isNonnegative: true)
    sum = Parameter(
      "\(name).ema.sum", codebook.parameter.shape, initializer: .zeros, role: .buffer,
      isTrainingState: true)
    self.decay = decay
    self.epsilon = epsilon
    self.unused = unused
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
        of: z.value, codes, validCount: shard.validCount * z.shape[1] * z.shape[2]))
  }

  // MARK: Averages

  package var statisticsShapes: [Shape] { [size.shape, sum.shape] }

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
  }

  package func adoptCodebook(_ state: inout ModelState) {
    guard state.values[size].sum() == 0 else { return }
    // As if each codeword had been chosen once, by a vector equal to it.
    state.values[size] = Tensor(size.shape, repeating: 1)
    state.values[sum] = state.values[vectors.parameter]
  }
}

/// ``EMAQuantizer`` in a configuration.
package enum EMAKind: QuantizerKind {
  package struct Options: CodebookQuantizerOptions {
    package var codebook = CodebookOptions()
    /// γ.
    package var decay = 0.99
    /// ε of the Laplace smoothing.
    package var epsilon = 1e-5
    /// By default the architecture's.
    package var unused: UnusedCodeword?

    package init() {}
  }

  package static let name = "ema"
  package static let fields: [Field<Options>] =
    Options.codebookFields + [
      .number("decay", \.decay, 0..<1, "γ of the moving averages"),
      .number("epsilon", \.epsilon, 1e-12..<1, "ε of their smoothing"),
      Options.initializationField,
      .optionalChoice(
        "ema_unused", \.unused,
        "what becomes of a codeword nobody chose; by default the architecture's"),
    ]

  package static func complete(_ options: inout Options, from defaults: CodebookDefaults) {
    options.codebook.initialization =
      options.codebook.initialization ?? defaults.averagedInitialization
    options.unused = options.unused ?? defaults.unused
  }

  package static func quantizer(_ name: String, _ options: Options) -> any Quantizer {
    EMAQuantizer(
      name, Codebook(name, options.codebook, role: .buffer),
      commitment: Float(options.codebook.commitment), decay: options.decay,
      epsilon: options.epsilon, unused: options.unused ?? .keep)
  }
}
