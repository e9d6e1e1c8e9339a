import Autograd
import NN
import Tensors

/// An encoder and a decoder with one or several quantizers between them.
package protocol Architecture: Module {
  /// What is quantized, one entry a codebook.
  var latents: [Latent] { get }

  /// Maps images to one quantized latent for each entry of ``latents``.
  ///
  /// - Parameters:
  ///   - images: `[N, H, W, 3]`.
  ///   - quantize: replaces the vectors `[N, h, w, D]` of latent number i by codewords.
  func encode(_ images: Variable, quantize: (_ vectors: Variable, _ i: Int) -> Variable)
    -> [Variable]

  /// Maps quantized latents to images `[N, H, W, 3]`.
  func decode(_ codewords: [Variable]) -> Variable
}

/// A grid of vectors that a quantizer turns into codes.
package struct Latent: Sendable, Hashable {
  /// The name of its quantizer.
  package let name: String
  package let height: Int
  package let width: Int

  package init(name: String, height: Int, width: Int) {
    self.name = name
    self.height = height
    self.width = width
  }
}
