import Autograd
import NN
import Tensors

/// What becomes of a codeword that a batch did not choose, where averages make the codebook.
package enum UnusedCodeword: String, CaseIterable, Sendable {
  /// It stays where it is. Its average does not change either: size and sum shrink alike, and only
  /// the smoothing would draw their quotient to the origin.
  case keep
  /// It follows the formula, so one that was never chosen lies at the origin, as in Sonnet.
  case origin
}

/// The moving averages that a codebook is made from (see `updateMovingAverageCodebook`).
///
/// Order: a batch is quantized with the codebook as it is, and the update comes after.
package struct MovingAverage: Module {
  /// The average count of each codeword, `[K]`.
  package let size: Parameter
  /// The average sum of the vectors that chose it, `[K, D]`.
  package let sum: Parameter
  /// γ.
  package let decay: Double
  /// ε of the Laplace smoothing.
  package let epsilon: Double
  package let unused: UnusedCodeword

  /// - Parameter name: the quantizer's.
  package init(
    _ name: String, codewords: Int, dimension: Int, decay: Double, epsilon: Double = 1e-5,
    unused: UnusedCodeword
  ) {
    size = Parameter(
      "ema.\(name).size", [codewords], start: .zeros, role: .buffer, isTrainingState: true,
      isNonnegative: true)
    sum = Parameter(
      "ema.\(name).sum", [codewords, dimension], start: .zeros, role: .buffer,
      isTrainingState: true)
    self.decay = decay
    self.epsilon = epsilon
    self.unused = unused
  }

  package var parameters: [Parameter] { [size, sum] }

  /// What a batch, or a shard of it, tells of each codeword.
  package struct Statistics: Sendable {
    /// How many vectors chose it, `[K]`, and their sum, `[K, D]`.
    package private(set) var counts: Tensor
    package private(set) var sums: Tensor

    /// - Parameters:
    ///   - vectors: `[…, D]`.
    ///   - leading: how many of the vectors count; the others are padding.
    package init(vectors: Tensor, codes: Codes, leading: Int, codewords: Int) {
      let codes = Codes([leading], Array(codes.indices.prefix(leading)))
      counts = codes.counts(codewords: codewords)
      sums = Tensor(zeros: [codewords, vectors.shape.width])
      sums.scatterAdd(vectors, at: codes)
    }

    package static func += (a: inout Statistics, b: Statistics) {
      a.counts += b.counts
      a.sums += b.sums
    }

    /// Whether a non-finite vector has found its way in.
    package var isFinite: Bool { counts.isFinite && sums.isFinite }
  }

  /// Makes averages that are empty, as in a new run, agree with a codebook that is not new: each codeword
  /// counts as chosen once, by itself.
  package func startIfEmpty(_ values: inout ParameterValues, codebook: Parameter) {
    guard values[size].sum() == 0 else { return }
    values[size] = Tensor(size.shape, repeating: 1)
    values[sum] = values[codebook]
  }

  /// Brings averages and codebook up to date with a batch. Statistics that are not finite are refused.
  ///
  /// - Parameter step: 1 for the first update.
  package func update(
    _ values: inout ParameterValues, codebook: Parameter, with statistics: Statistics, step: Int
  ) {
    guard statistics.isFinite else { return }
    var state = MovingAverageCodebook(
      codebook: values[codebook], size: values[size], sum: values[sum])
    state.update(
      counts: statistics.counts, sums: statistics.sums, decay: decay, epsilon: epsilon, step: step,
      movesUnused: unused == .origin)
    values[codebook] = state.codebook
    values[size] = state.size
    values[sum] = state.sum
  }
}
