import Autograd
import NN
import Options
import Tensors

/// A codebook that is a linear map of a fixed basis, `simvq` (Zhu et al. 2024, "Addressing Representation
/// Collapse in Vector Quantized Models with One Linear Layer"):
///
///     e[k] = c[k]·W        c: [K, D], normal with standard deviation 1/√D, never changed; W: [D, D], trained
///
/// A gradient for any codeword moves W and so all codewords, also those that nobody chooses. The loss terms
/// are those of ``VectorQuantizer``. The products `c·W` are kept as a buffer, which is what evaluation reads
/// and what is packed for the search, once a step.
package struct SimVQQuantizer: CodebookQuantizer {
  /// The products `c·W`.
  package let vectors: Codebook
  /// c.
  package let basis: Parameter
  /// W.
  package let transform: Parameter
  /// β.
  package let commitment: Float

  package init(_ codebook: Codebook, commitment: Float) {
    precondition(codebook.parameter.role == .buffer, "the products have no gradient of their own")
    vectors = codebook
    let width = codebook.dimension
    basis = Parameter(
      "\(codebook.latent).basis", codebook.parameter.shape,
      initializer: .normal(standardDeviation: 1 / Float(width).squareRoot()), role: .buffer)
    transform = Parameter(
      "\(codebook.latent).transform", [width, width], initializer: .pyTorch(fanIn: width))
    self.commitment = commitment
  }

  package var parameters: [Parameter] { [vectors.parameter, basis, transform] }

  package func quantize(_ z: Variable, in shard: ShardContext) -> Quantized {
    let table = z.tape.read(basis).matrixProduct(z.tape.read(transform))
    let (output, e, codes) = vectors.quantize(z, table: table)
    return Quantized(
      output: output, codes: codes,
      terms: [
        LossTerm("codebook", meanSquaredError(e, z.detach(), in: shard), weight: 1),
        LossTerm("commitment", meanSquaredError(z, e.detach(), in: shard), weight: commitment),
      ])
  }

  // MARK: The products

  package func prepare(
    _ state: inout ModelState, seed _: UInt64, sample _: (Int) throws -> Tensor
  ) throws {
    multiply(&state)
  }

  package func update(_ state: inout ModelState, with _: [Tensor], step _: Int) { multiply(&state) }

  package func adoptCodebook(_ state: inout ModelState) { multiply(&state) }

  private func multiply(_ state: inout ModelState) {
    state.values[vectors.parameter] =
      state.values[basis].matrixProduct(state.values[transform]).keepingPackedForms()
  }
}

/// ``SimVQQuantizer`` in a configuration.
package enum SimVQKind: QuantizerKind {
  package struct Options: CodebookQuantizerOptions {
    package var codebook = CodebookOptions()

    package init() {}
  }

  package static let name = "simvq"
  package static let fields: [Field<Options>] = Options.codebookFields

  package static func quantizer(_ name: String, _ options: Options) -> any Quantizer {
    SimVQQuantizer(
      Codebook(name, options.codebook, role: .buffer),
      commitment: Float(options.codebook.commitment))
  }
}
