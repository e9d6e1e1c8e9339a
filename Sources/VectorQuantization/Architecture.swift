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

/// An architecture that a configuration can name.
///
/// A type that conforms is a file of its own, and a line in ``ArchitectureName``.
package protocol NamedArchitecture: Architecture {
  /// What configurations call it.
  static var name: String { get }

  /// What it can be told, with its defaults.
  associatedtype Options: ModelOptionSet = NoOptions

  /// The options as fields of a configuration's section `model`. The fields of others are errors in a
  /// configuration that names this one.
  static var fields: [ModelField<Options>] { get }

  /// What is wrong with options whose fields are right, each by itself.
  static func fault(in options: Options) -> ModelFault?

  /// The height and width of an image have to be multiples of this.
  static func imageMultiple(_ options: Options) -> Int

  /// - Parameters:
  ///   - imageHeight: a multiple of ``imageMultiple(_:)``, as is the width.
  ///   - dimension: D, the width of a codeword.
  init(_ options: Options, imageHeight: Int, imageWidth: Int, dimension: Int)
}

extension NamedArchitecture {
  package static func fault(in _: Options) -> ModelFault? { nil }
}

extension NamedArchitecture where Options == NoOptions {
  package static var fields: [ModelField<NoOptions>] { [] }
}

/// What no field of an architecture can check alone.
package struct ModelFault: Sendable, Equatable {
  /// The fields that it concerns.
  package let fields: [String]
  /// What was expected, and what was found.
  package let message: String

  package init(_ fields: [String], _ message: String) {
    self.fields = fields
    self.message = message
  }
}

/// Options of an architecture; where nothing is said they have their defaults.
package protocol ModelOptionSet: Sendable {
  init()
}

/// Of an architecture that can be told nothing.
package struct NoOptions: ModelOptionSet {
  package init() {}
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
