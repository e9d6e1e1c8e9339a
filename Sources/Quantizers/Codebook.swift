import Autograd
import NN
import Tensors

/// How the gradient passes the quantizer from the decoder to the encoder. The first two give the same step, up
/// to rounding.
package enum StraightThrough: String, CaseIterable, Sendable {
  /// ``VectorQuantize``, a function that defines its own derivative.
  case function
  /// The expression `z + (e − z).detach()`.
  case detach
  /// ``RotateToCodeword``: the gradient is turned and scaled as the vector was.
  case rotation
}

extension StraightThrough {
  /// A constant in place of vectors, with a gradient to the vectors. Both are `[…, D]`.
  func replace(_ z: Variable, by constant: Variable) -> Variable {
    switch self {
    case .function: Substitute.apply([z, constant]).output
    case .detach: z + (constant - z).detach()
    case .rotation: RotateToCodeword.apply([z, constant]).output
    }
  }
}

/// Learned codewords, and the search for the nearest one.
package struct Codebook: Sendable {
  /// The name of the latent.
  package let latent: String
  /// The codewords, `[K, D]`.
  package let parameter: Parameter
  package let straightThrough: StraightThrough
  package let distances: NearestSearch
  /// Whether the codewords of a new run are centroids of the encoder's vectors (see ``KMeans``).
  package let startsFromKMeans: Bool

  /// - Parameters:
  ///   - latent: its name.
  ///   - role: `.trained` if the codebook loss moves the codewords.
  package init(
    _ latent: String, codewords: Int, dimension: Int, initializer: Initializer,
    role: Parameter.Role,
    straightThrough: StraightThrough = .function, distances: NearestSearch = .addmm,
    startsFromKMeans: Bool = false
  ) {
    self.latent = latent
    self.startsFromKMeans = startsFromKMeans
    parameter = Parameter(
      "\(latent).codebook", [codewords, dimension], initializer: initializer, role: role)
    self.straightThrough = straightThrough
    self.distances = distances
  }

  package var codewords: Int { parameter.shape[0] }
  package var dimension: Int { parameter.shape[1] }

  /// The codes of the codewords nearest to vectors `[…, D]`.
  package func codes(of z: Tensor, _ values: ParameterValues) -> Codes {
    values[parameter].nearestCodes(to: z, by: distances)
  }

  /// The codewords of codes, without a gradient.
  package func codewords(_ codes: Codes, on tape: Tape) -> Variable {
    lookUp(codes, in: tape.read(parameter).detach())
  }

  /// Quantizes vectors in training.
  ///
  /// - Parameter table: the codewords with a gradient, equal to the parameter's value; by default the
  ///   parameter.
  /// - Returns: The input of the decoder, with a gradient to the vectors; the codewords, with a gradient to
  ///   the table; and the codes.
  func quantize(
    _ z: Variable, table: Variable? = nil
  ) -> (output: Variable, codewords: Variable, codes: Codes) {
    // The search reads the parameter, whose packed form is kept.
    let codes = z.tape.read(parameter).value.nearestCodes(to: z.value, by: distances)
    let codebook = table ?? z.tape.read(parameter)
    switch straightThrough {
    case .function:
      // Two calls: with one, the codebook loss would reach the encoder through the straight-through
      // estimator.
      let e = vectorQuantize(z.detach(), codebook: codebook, codes: codes).output
      return (vectorQuantize(z, codebook: codebook.detach(), codes: codes).output, e, codes)
    case .detach, .rotation:
      let e = lookUp(codes, in: codebook)
      return (straightThrough.replace(z, by: e.detach()), e, codes)
    }
  }
}

/// A quantizer whose codes are the nearest of learned codewords.
package protocol CodebookQuantizer: Quantizer {
  var vectors: Codebook { get }
}

extension CodebookQuantizer {
  package var codebook: Codebook? { vectors }
  package var alphabet: [Int] { [vectors.codewords] }
  package var dimension: Int { vectors.dimension }

  package func codes(of z: Tensor, _ values: ParameterValues) -> Codes {
    vectors.codes(of: z, values)
  }

  package func codewords(_ codes: Codes, on tape: Tape) -> Variable {
    vectors.codewords(codes, on: tape)
  }
}

/// A shard's share of the mean squared difference over the elements of a batch.
///
/// - Parameter a: `[N, h, w, D]`.
func meanSquaredError(_ a: Variable, _ b: Variable, in shard: ShardContext) -> Variable {
  let positions = a.shape[1] * a.shape[2]
  return squaredError(
    a, b, factor: 1 / Float(shard.batchSize * positions * a.shape.width),
    rows: shard.validCount * positions)
}
