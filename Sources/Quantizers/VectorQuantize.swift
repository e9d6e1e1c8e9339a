import Autograd
import Tensors

/// Replaces each vector by its nearest codeword (van den Oord et al. 2017, equations 1 and 2).
///
///     codes[n]  = argmin over k of ‖vectors[n] − codebook[k]‖²
///     output[n] = codebook[codes[n]]
///
/// The argmin has no useful derivative, so `backward` defines one: a vector receives the gradient of
/// its output unchanged (straight-through); a codeword receives the sum over the vectors that chose
/// it, zero if none did.
///
/// Inputs: vectors `[…, D]` and the codebook `[K, D]`. The codes are a non-differentiable output.
package enum VectorQuantize: Function {
  /// The codes, if they are known from another call with the same values.
  package typealias Attributes = Codes?

  package struct Saved {
    let codes: Codes
    let codebookShape: Shape
  }

  package typealias NonDifferentiable = Codes

  package static func forward(
    _ inputs: Inputs<Tensor>, _ known: Codes?, _ context: inout Context<Self>
  ) -> Tensor {
    let (vectors, codebook) = (inputs[0], inputs[1])
    let codes = known ?? codebook.nearestCodes(to: vectors)
    context.save(Saved(codes: codes, codebookShape: codebook.shape))
    context.returnNonDifferentiable(codes)
    return codebook.rows(at: codes)
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Codes?, _ context: Context<Self>
  ) -> [Tensor?] {
    var gradCodebook: Tensor?
    if context.needsGradient[1] {
      var sums = Tensor(zeros: context.saved.codebookShape)
      sums.scatterAdd(gradient, at: context.saved.codes)
      gradCodebook = sums
    }
    return [context.needsGradient[0] ? gradient : nil, gradCodebook]
  }
}

/// ``VectorQuantize`` as a function of variables.
package func vectorQuantize(
  _ vectors: Variable, codebook: Variable, codes: Codes? = nil
) -> (output: Variable, codes: Codes) {
  let result = VectorQuantize.apply([vectors, codebook], codes)
  guard let codes = result.nonDifferentiable else {
    preconditionFailure("VectorQuantize returns codes")
  }
  return (result.output, codes)
}
