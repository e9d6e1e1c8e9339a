import Autograd
import Options
import Tensors

/// The initial distribution of the codewords.
package enum CodebookInitialization: String, CaseIterable, Sendable {
  /// Uniform in ±1/K.
  case uniform
  /// Uniform in 0…1.
  case unit
  /// Normal, with variance 1.
  case normal
  /// Uniform in ±√(3/D), with variance 1/D.
  case fan
  /// Rows of length 1, orthogonal in groups of D (see ``Tensor/init(orthogonalRows:generator:)``).
  case orthogonal
  /// Centroids of the vectors of the initial encoder (see ``KMeans``).
  case kmeans

  package func initializer(codewords: Int, dimension: Int) -> Initializer {
    switch self {
    // Before k-means, or where there are no images for it, as in a benchmark of sizes.
    case .uniform, .kmeans: .uniform(bound: 1 / Float(codewords))
    case .unit: .between(0, 1)
    case .normal: .normal(standardDeviation: 1)
    case .fan: .uniform(bound: (3 / Float(dimension)).squareRoot())
    case .orthogonal: .orthogonalRows
    }
  }
}

/// How an architecture's published implementation initializes and updates a codebook.
///
/// By default codewords start near the origin, where the vectors are. With a wide normal distribution all
/// vectors choose one of a few codewords, and the others are never used (docs/reproduced-systems.md).
package struct CodebookDefaults: Sendable {
  package var initialization = CodebookInitialization.uniform
  /// The initialization if moving averages update the codewords.
  package var averagedInitialization = CodebookInitialization.uniform
  package var unused = UnusedCodeword.keep

  package init() {}
}

/// The options that every quantizer with a codebook has.
package struct CodebookOptions: Sendable {
  package var straightThrough = StraightThrough.function
  /// K.
  package var size = 512
  /// D.
  package var dimension = 64
  package var distances = NearestSearch.addmm
  /// β.
  package var commitment = 0.25
  /// By default the architecture's.
  package var initialization: CodebookInitialization?
  package var restart = RestartOptions()

  package init() {}
}

/// Options of a quantizer with a codebook.
package protocol CodebookQuantizerOptions: FieldOptions {
  var codebook: CodebookOptions { get set }
}

extension CodebookQuantizerOptions {
  package static var codebookFields: [Field<Self>] {
    [
      .choice(
        "straight_through", \.codebook.straightThrough, "how the gradient passes the quantizer"),
      .integer("codebook_size", \.codebook.size, 1...1_048_576, "codewords, K"),
      .integer("dimension", \.codebook.dimension, 1...4096, "width of a codeword, D"),
      .choice(
        "distances", \.codebook.distances,
        "products and an exact decision of near-ties, or slow and exact throughout; same codes"),
      .number("commitment", \.codebook.commitment, 0..<1e6, "the weight β"),
    ]
  }

  package static var initializationField: Field<Self> {
    .optionalChoice(
      "init", \.codebook.initialization,
      "start of the codebook: ±1/K, 0…1, normal, ±√(3/D), orthogonal rows, or centroids of the "
        + "encoder's vectors; by default the architecture's")
  }
}
