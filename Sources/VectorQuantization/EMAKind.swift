import Options

/// `ema`: moving averages of the vectors that chose them move the codewords (appendix A.1).
package enum EMAKind: QuantizerKind {
  package struct Options: QuantizerOptions {
    package var codebook = CodebookOptions()
    /// γ.
    package var decay = 0.99
    /// ε of the Laplace smoothing.
    package var epsilon = 1e-5
    /// By default the architecture's.
    package var unused: UnusedCodeword?

    package init() {}
  }

  package static let name = "ema"
  package static let fields: [Field<Options>] =
    Options.codebookFields + [
      .number("decay", \.decay, 0..<1, "γ of the moving averages"),
      .number("epsilon", \.epsilon, 1e-12..<1, "ε of their smoothing"),
      Options.initializationField,
      .optionalChoice(
        "ema_unused", \.unused,
        "what becomes of a codeword nobody chose; by default the architecture's"),
    ]

  package static func fault(in options: Options) -> FieldFault? {
    options.codebook.weighting == .both
      ? FieldFault(
        ["weighting"], "expected paper, for with quantizer.kind ema the loss has no codebook term")
      : nil
  }

  package static func complete(_ options: inout Options, from defaults: CodebookDefaults) {
    options.codebook.initialization =
      options.codebook.initialization ?? defaults.averagedInitialization
    options.unused = options.unused ?? defaults.unused
  }

  package static func quantizer(_ name: String, _ options: Options) -> Quantizer {
    Quantizer(
      name, options.codebook,
      learning: .movingAverage(
        MovingAverage(
          name, codewords: options.codebook.size, dimension: options.codebook.dimension,
          decay: options.decay, epsilon: options.epsilon, unused: options.unused ?? .keep)))
  }
}
