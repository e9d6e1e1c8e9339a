import Autograd
import Options

/// What moves the codewords of the codebooks inside another quantizer.
package enum CodebookUpdate: String, CaseIterable, Sendable {
  /// ``VectorQuantizer``: the codebook loss.
  case vq
  /// ``EMAQuantizer``: moving averages.
  case ema
}

/// The options of a quantizer that is made of quantizers with a codebook.
package struct InnerOptions: AveragedQuantizerOptions {
  package var codebook = CodebookOptions()
  package var averages = AverageOptions()
  package var update = CodebookUpdate.ema

  package init() {}

  package func quantizer(_ latent: String) -> any CodebookQuantizer {
    switch update {
    case .ema: averagedQuantizer(latent)
    case .vq:
      VectorQuantizer(
        Codebook(latent, codebook, role: .trained), commitment: Float(codebook.commitment),
        restart: codebook.restart)
    }
  }

  mutating func complete(from defaults: CodebookDefaults) {
    switch update {
    case .ema: completeAverages(from: defaults)
    case .vq: codebook.initialization = codebook.initialization ?? defaults.initialization
    }
  }
}

/// Options of a quantizer that is made of others.
package protocol OuterQuantizerOptions: FieldOptions {
  var inner: InnerOptions { get set }
}

extension OuterQuantizerOptions {
  /// The fields of the inner quantizers.
  static var innerFields: [Field<Self>] {
    let fields: [Field<InnerOptions>] =
      InnerOptions.codebookFields + [
        .choice(
          "inner", \.update, "what moves the codewords: a codebook loss or moving averages")
      ] + InnerOptions.averageFields + InnerOptions.restartFields
    return fields.map { $0.embedded(in: \.inner) }
  }

  static func innerFault(in options: Self) -> FieldFault? {
    let inner = options.inner
    if inner.update == .vq {
      let (found, initial) = (inner.averages, AverageOptions())
      let set = [
        ("decay", found.decay != initial.decay), ("epsilon", found.epsilon != initial.epsilon),
        ("ema_unused", found.unused != initial.unused),
      ]
      if let field = set.first(where: \.1)?.0 {
        return FieldFault([field, "inner"], "\(field) has no effect with inner: vq")
      }
    }
    return InnerOptions.restartFault(in: inner)
  }
}
