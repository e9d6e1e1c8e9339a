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

  package init(_ codebook: Codebook, commitment: Float, codebookWeight: Float = 1) {
    precondition(codebook.parameter.role == .trained, "the codebook loss moves a trained codebook")
    vectors = codebook
    self.commitment = commitment
    self.codebookWeight = codebookWeight
  }

  package var parameters: [Parameter] { [vectors.parameter] }

  package func quantize(_ z: Variable, in shard: ShardContext) -> Quantized {
    let (output, e, codes) = vectors.quantize(z)
    return Quantized(
      output: output, codes: codes,
      terms: [
        LossTerm("codebook", meanSquaredError(e, z.detach(), in: shard), weight: codebookWeight),
        LossTerm("commitment", meanSquaredError(z, e.detach(), in: shard), weight: commitment),
      ])
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
    ]

  package static func complete(_ options: inout Options, from defaults: CodebookDefaults) {
    options.codebook.initialization = options.codebook.initialization ?? defaults.initialization
  }

  package static func quantizer(_ name: String, _ options: Options) -> any Quantizer {
    let commitment = Float(options.codebook.commitment)
    return VectorQuantizer(
      Codebook(name, options.codebook, role: .trained), commitment: commitment,
      codebookWeight: options.weighting == .both ? commitment : 1)
  }
}
