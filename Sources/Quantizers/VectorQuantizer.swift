import Autograd
import NN
import Options
import Tensors

/// The quantizer of the paper, `vq`: each vector becomes the nearest codeword, and the codewords follow the
/// gradient of the codebook loss (van den Oord et al. 2017, equation 3)
///
///     ‖sg[z] − e‖² + β·‖z − sg[e]‖²
///
/// The first term moves the codebook alone, the second the encoder alone.
package struct VectorQuantizer: CodebookQuantizer {
  package let vectors: Codebook
  /// β.
  package let commitment: Float
  /// The weight of the first term: 1 in the paper.
  package let codebookWeight: Float
  /// The average count of each codeword, `[K]`; nil without restarts, which alone need it.
  package let count: Parameter?
  private let restart: CodebookRestart
  /// Of the average counts.
  private static let decay: Float = 0.99

  package init(
    _ codebook: Codebook, commitment: Float, codebookWeight: Float = 1,
    restart: RestartOptions = RestartOptions()
  ) {
    precondition(codebook.parameter.role == .trained, "the codebook loss moves a trained codebook")
    vectors = codebook
    self.commitment = commitment
    self.codebookWeight = codebookWeight
    self.restart = CodebookRestart(restart, of: codebook)
    count =
      self.restart.isUsed
      ? Parameter(
        "\(codebook.latent).restart.count", [codebook.codewords], initializer: .zeros,
        role: .buffer, isTrainingState: true, isNonnegative: true) : nil
  }

  package var parameters: [Parameter] { [vectors.parameter] + [count].compactMap(\.self) }

  package func quantize(_ z: Variable, in shard: ShardContext) -> Quantized {
    let (output, e, codes) = vectors.quantize(z)
    return Quantized(
      output: output, codes: codes,
      terms: [
        LossTerm("codebook", meanSquaredError(e, z.detach(), in: shard), weight: codebookWeight),
        LossTerm("commitment", meanSquaredError(z, e.detach(), in: shard), weight: commitment),
      ],
      statistics: restart.isUsed
        ? [counts(of: codes, validCount: shard.validCount * z.shape[1] * z.shape[2])]
          + restart.statistics(from: z.value, in: shard) : [])
  }

  // MARK: Restarts

  package var statisticsShapes: [Shape] {
    count.map { [$0.shape] + restart.statisticsShapes } ?? []
  }

  private func counts(of codes: Codes, validCount: Int) -> Tensor {
    Codes([validCount], Array(codes.indices.prefix(validCount)))
      .counts(codewords: vectors.codewords)
  }

  package func update(_ state: inout ModelState, with statistics: [Tensor], step: Int) {
    guard let count else { return }
    let counts = statistics[0]
    state.values[count].average(counts, old: Self.decay, new: 1 - Self.decay)
    let (rows, mean) = restart.perform(
      &state, codebook: vectors.parameter, averages: state.values[count].elements, counts: counts,
      statistics: statistics.dropFirst(), step: step)
    for k in rows { state.values[count].fillRow(k, with: mean) }
  }

  package func prepare(
    _ state: inout ModelState, seed: UInt64, sample: (Int) throws -> Tensor
  ) throws {
    let counts = try vectors.start(&state, seed: seed, sample: sample)
    if let counts, let count { state.values[count] = counts }
  }
}

/// Which loss terms β multiplies.
package enum CommitmentWeighting: String, CaseIterable, Sendable {
  /// The commitment term alone: `‖sg[z] − e‖² + β·‖z − sg[e]‖²`.
  case paper
  /// Both terms: `β·‖sg[z] − e‖² + β·‖z − sg[e]‖²`. No other term has a gradient for the codebook, so
  /// under Adam this β cancels, except through ε.
  case both
}

/// ``VectorQuantizer`` in a configuration.
package enum VQKind: QuantizerKind {
  package struct Options: CodebookQuantizerOptions {
    package var codebook = CodebookOptions()
    package var weighting = CommitmentWeighting.paper

    package init() {}
  }

  package static let name = "vq"
  package static let fields: [Field<Options>] =
    Options.codebookFields + [
      .choice(
        "weighting", \.weighting,
        "β on the commitment term alone, as in the paper, or on the codebook term too"),
      Options.initializationField,
    ] + Options.restartFields

  package static func fault(in options: Options) -> FieldFault? {
    Options.restartFault(in: options)
  }

  package static func complete(_ options: inout Options, from defaults: CodebookDefaults) {
    options.codebook.initialization = options.codebook.initialization ?? defaults.initialization
  }

  package static func quantizer(_ name: String, _ options: Options) -> any Quantizer {
    let commitment = Float(options.codebook.commitment)
    return VectorQuantizer(
      Codebook(name, options.codebook, role: .trained), commitment: commitment,
      codebookWeight: options.weighting == .both ? commitment : 1,
      restart: options.codebook.restart)
  }
}
