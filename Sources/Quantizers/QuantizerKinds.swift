import Autograd
import Options

/// A kind of quantizer that a configuration can name, with its options.
///
/// A type that conforms is a file of its own, and a line in ``QuantizerKinds``.
package protocol QuantizerKind: Kind {
  /// The width of the vectors that it quantizes, D.
  static func dimension(_ options: Options) -> Int

  /// Fills in the options whose defaults are the architecture's. By default nothing.
  static func complete(_ options: inout Options, from defaults: CodebookDefaults)

  /// The quantizer of a latent, from complete options.
  static func quantizer(_ name: String, _ options: Options) -> any Quantizer
}

extension QuantizerKind {
  package static func complete(_: inout Options, from _: CodebookDefaults) {}
}

extension QuantizerKind where Options: CodebookQuantizerOptions {
  package static func dimension(_ options: Options) -> Int { options.codebook.dimension }
}

/// The quantizers that a configuration can name. A new one is a file of its own and a line here.
package enum QuantizerKinds: Kinds {
  package static var all: [any QuantizerKind.Type] {
    [
      VQKind.self,
      EMAKind.self,
      CosineKind.self,
      SimVQKind.self,
      ResidualKind.self,
      GroupedKind.self,
      FSQKind.self,
      LFQKind.self,
    ]
  }

  package static func kind(_ entry: any QuantizerKind.Type) -> any Kind.Type { entry }
  package static var initial: any QuantizerKind.Type { VQKind.self }
  package static var field: (name: String, meaning: String) {
    ("kind", "how vectors become codes")
  }
}

/// The section `quantizer`: a kind of quantizer and its options.
package typealias QuantizerSection = Section<QuantizerKinds>

extension Section<QuantizerKinds> {
  /// The width of the vectors that are quantized, D.
  package var dimension: Int {
    func dimension<K: QuantizerKind>(_ type: K.Type) -> Int { K.dimension(options(of: type)) }
    return dimension(entry)
  }

  /// The section with the options whose defaults are the architecture's filled in.
  package func completed(from defaults: CodebookDefaults) -> Self {
    func completed<K: QuantizerKind>(_ type: K.Type) -> Self {
      var result = self
      result.update(type) { K.complete(&$0, from: defaults) }
      return result
    }
    return completed(entry)
  }

  /// The quantizer of a latent, from a complete section.
  package func quantizer(_ name: String) -> any Quantizer {
    func quantizer<K: QuantizerKind>(_ type: K.Type) -> any Quantizer {
      K.quantizer(name, options(of: type))
    }
    return quantizer(entry)
  }
}

extension Codebook {
  /// A codebook with complete options.
  init(_ latent: String, _ options: CodebookOptions, role: Parameter.Role) {
    self.init(
      latent, codewords: options.size, dimension: options.dimension,
      initializer: (options.initialization ?? .uniform).initializer(
        codewords: options.size, dimension: options.dimension),
      role: role, straightThrough: options.straightThrough, distances: options.distances,
      startsFromKMeans: options.initialization == .kmeans)
  }
}
