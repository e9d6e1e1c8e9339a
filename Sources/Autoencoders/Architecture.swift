import Autograd
import NN
import Options
import Quantizers
import Tensors

/// An encoder and a decoder around one or several quantizers.
package protocol Architecture: Module {
  /// What is quantized; each latent has a quantizer of its own.
  var latents: [Latent] { get }

  /// Maps images to one quantized latent for each entry of ``latents``.
  ///
  /// - Parameters:
  ///   - images: `[N, H, W, C]`.
  ///   - quantize: replaces the vectors `[N, h, w, D]` of latent number i by codewords.
  func encode(_ images: Variable, quantize: (_ vectors: Variable, _ i: Int) -> Variable)
    -> [Variable]

  /// Maps quantized latents to images `[N, H, W, C]`.
  func decode(_ codewords: [Variable]) -> Variable
}

/// An architecture that a configuration can name, with the options that it takes.
///
/// A type that conforms is a file of its own, and a line in ``Architectures``.
package protocol NamedArchitecture: Architecture, Kind {
  /// The height and width of an image have to be multiples of this.
  static func imageMultiple(_ options: Options) -> Int

  /// How its published implementation initializes and updates a codebook: the defaults of quantizers.
  static func codebookDefaults(_ options: Options) -> CodebookDefaults

  /// - Parameters:
  ///   - image: its height and width are multiples of ``imageMultiple(_:)``.
  ///   - dimension: D, the width of a codeword.
  init(_ options: Options, image: ImageShape, dimension: Int)
}

extension NamedArchitecture {
  package static func codebookDefaults(_: Options) -> CodebookDefaults { CodebookDefaults() }
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
