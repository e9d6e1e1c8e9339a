import Options

/// `vq`: the codebook loss moves the codewords (van den Oord et al. 2017, equation 3).
package enum VQKind: QuantizerKind {
  package struct Options: QuantizerOptions {
    package var codebook = CodebookOptions()

    package init() {}
  }

  package static let name = "vq"
  package static let fields = Options.codebookFields + [Options.initializationField]

  package static func complete(_ options: inout Options, from defaults: CodebookDefaults) {
    options.codebook.initialization = options.codebook.initialization ?? defaults.initialization
  }

  package static func quantizer(_ name: String, _ options: Options) -> Quantizer {
    Quantizer(name, options.codebook, learning: .gradient)
  }
}
