import Autograd
import NN
import Tensors

/// Maps the encoder's vectors to codes, and codes to the codewords that the decoder gets.
///
/// A quantizer is a file of its own. It owns its parameters, its loss terms, and any update of its codebook
/// besides the gradient step.
package protocol Quantizer: Module {
  /// How many values each code of a position can have: `[512]`; `[512, 512]` if a position has two codes.
  var alphabet: [Int] { get }
  /// The width of a vector, D.
  var dimension: Int { get }

  /// Quantizes vectors in training.
  ///
  /// - Parameter z: the encoder's vectors, `[N, h, w, D]`.
  func quantize(_ z: Variable, in shard: ShardContext) -> Quantized

  /// The codes of vectors `[…, D]`, outside training: `[…]`, or `[…, S]` if a position has S codes.
  func codes(of z: Tensor, _ values: ParameterValues) -> Codes

  /// The codewords `[…, D]` of codes. Evaluation decodes these, so decoding saved codes gives the same bytes
  /// as reconstructing.
  func codewords(_ codes: Codes, on tape: Tape) -> Variable

  /// The shapes of the statistics that ``quantize(_:in:)`` computes for ``update(_:with:step:)``.
  var statisticsShapes: [Shape] { get }

  /// Prepares the state of a new run before the first step, as k-means does a codebook. By default nothing.
  ///
  /// - Parameters:
  ///   - seed: that of the run.
  ///   - sample: computes vectors `[n, D]` of the quantizer's latent, of the images of the first steps: at
  ///     least as many as asked for, or those of all images if that is fewer.
  func prepare(_ state: inout ModelState, seed: UInt64, sample: (Int) throws -> Tensor) throws

  /// Changes the state by a batch, after the optimizer. By default nothing.
  ///
  /// - Parameters:
  ///   - statistics: the sums over the batch's shards.
  ///   - step: 1 for the first.
  func update(_ state: inout ModelState, with statistics: [Tensor], step: Int)

  /// Makes a state consistent whose codebook comes from another run, without that run's averages. By
  /// default nothing.
  func adoptCodebook(_ state: inout ModelState)

  /// The codewords, `[K, D]`, for measurements and inspection; nil if there is no codebook.
  var codebook: Codebook? { get }
}

extension Quantizer {
  package var statisticsShapes: [Shape] { [] }
  package func prepare(_: inout ModelState, seed _: UInt64, sample _: (Int) throws -> Tensor) throws
  {
  }
  package func update(_ state: inout ModelState, with statistics: [Tensor], step: Int) {}
  package func adoptCodebook(_ state: inout ModelState) {}
  package var codebook: Codebook? { nil }
}

extension Sequence<any Quantizer> {
  /// Each quantizer's part of statistics that are one after another.
  package func statistics(in all: [Tensor]) -> [[Tensor]] {
    var rest = all[...]
    return map { quantizer in
      let own = rest.prefix(quantizer.statisticsShapes.count)
      rest = rest.dropFirst(own.count)
      return Array(own)
    }
  }
}

/// The result of quantizing vectors in training.
package struct Quantized {
  /// The input of the decoder: the codewords, up to rounding, with a gradient to the vectors.
  package let output: Variable
  package let codes: Codes
  /// The quantizer's terms of the loss.
  package let terms: [LossTerm]
  /// Tensors of the quantizer's ``Quantizer/statisticsShapes``.
  package let statistics: [Tensor]

  package init(
    output: Variable, codes: Codes, terms: [LossTerm], statistics: [Tensor] = []
  ) {
    self.output = output
    self.codes = codes
    self.terms = terms
    self.statistics = statistics
  }
}

/// A term of the loss.
package struct LossTerm {
  /// Its name in metrics, such as `commitment`. Terms of the same name are added over the latents.
  package let name: String
  /// The shard's share of the batch's mean, before it is weighted.
  package let value: Variable
  package let weight: Float

  package init(_ name: String, _ value: Variable, weight: Float) {
    self.name = name
    self.value = value
    self.weight = weight
  }
}
