import Quantizers
import Tensors

/// The search for nearest codewords that a quantizer uses.
package struct CodebookSearch: Sendable {
  /// `[K, D]`.
  package let codebook: Shape
  package let compute: @Sendable (_ codebook: Tensor, _ vectors: Tensor) -> Codes

  package init(
    codebook: Shape,
    compute: @escaping @Sendable (_ codebook: Tensor, _ vectors: Tensor) -> Codes = {
      $0.nearestCodes(to: $1)
    }
  ) {
    self.codebook = codebook
    self.compute = compute
  }

  init(_ codebook: Codebook) {
    self.init(codebook: codebook.parameter.shape) { [distances = codebook.distances] in
      $0.nearestCodes(to: $1, by: distances)
    }
  }
}
