import Autograd
import Glibc
import NN
import Quantizers
import Tensors

/// A vector-quantized autoencoder: an architecture, a quantizer for each of its latents, and the loss
/// (van den Oord et al. 2017, equation 3)
///
///     L = MSE(x̂, x) / σ² + Σ over latents of the quantizer's terms
///
/// where σ² is the variance of the training images, so that the first term is the normalized mean squared
/// error. ``Objective`` has alternatives.
package struct VQVAE: Module {
  package let architecture: any Architecture
  package let quantizers: [any Quantizer]
  package let objective: Objective
  /// Which kernels compute the convolutions.
  package let convolution: ConvolutionMethod

  package init(
    architecture: any Architecture, quantizers: [any Quantizer],
    objective: Objective = Objective(), convolution: ConvolutionMethod = .auto
  ) {
    precondition(
      architecture.latents.count == quantizers.count, "each latent has a quantizer of its own")
    self.architecture = architecture
    self.quantizers = quantizers
    self.objective = objective
    self.convolution = convolution
  }

  package var parameters: [Parameter] {
    architecture.parameters + quantizers.flatMap(\.parameters)
  }

  /// The largest number of bits that the codes of an image can carry: the sum of `log₂` of the alphabet over
  /// all slots of all positions of all latents.
  package var codeBits: Double {
    zip(architecture.latents, quantizers).reduce(0) { sum, pair in
      let bits = pair.1.alphabet.reduce(0) { $0 + log2(Double($1)) }
      return sum + Double(pair.0.height * pair.0.width) * bits
    }
  }

  // MARK: Training

  /// The result of one shard of a batch in training.
  package struct TrainingOutput {
    /// The shard's share of the batch's loss.
    package let loss: Variable
    /// Its share of the reconstruction error over σ².
    package let reconstructionLoss: Variable
    package let reconstruction: Variable
    /// The quantizers' terms before they are weighted; those of the same name are added over the latents.
    package let terms: [LossTerm]
    /// One entry per latent, in the order of ``Architecture/latents``.
    package let codes: [Codes]
    package let usage: [CodebookUsage]
    /// One entry per latent.
    package let scales: [LatentScale]
    package let statistics: [[Tensor]]

    /// The value of a term, or nil if no quantizer has it.
    package func term(_ name: String) -> Variable? { terms.first { $0.name == name }?.value }
  }

  /// Computes the losses of a shard of a batch.
  ///
  /// Sums over the shard are divided by the element counts of the whole batch, so the shards' losses
  /// and gradients add up to the batch's.
  ///
  /// - Parameter images: `[N, H, W, C]`.
  package func callAsFunction(_ images: Variable, in shard: ShardContext) -> TrainingOutput {
    var results = [Quantized?](repeating: nil, count: quantizers.count)
    var scales = [LatentScale?](repeating: nil, count: quantizers.count)
    let codewords = architecture.encode(images) { z, i in
      precondition(results[i] == nil, "each latent is quantized once")
      let result = quantizers[i].quantize(z, in: shard)
      results[i] = result
      scales[i] = scale(ofLatent: i, z, result, in: shard)
      return result.output
    }
    let quantized = Self.ofEveryLatent(results)
    let reconstruction = architecture.decode(codewords)
    let elements = Double(shard.batchSize * images.shape[1] * images.shape[2] * images.shape[3])
    let nmse = squaredError(
      reconstruction, images, factor: Float(1 / (objective.variance * elements)),
      rows: shard.validCount * images.shape[1] * images.shape[2])
    let terms = Self.added(quantized.flatMap(\.terms))
    return TrainingOutput(
      loss: objective.total(
        nmse, Self.sum(terms.map { $0.weight == 1 ? $0.value : $0.weight * $0.value }),
        batchSize: shard.batchSize),
      reconstructionLoss: nmse, reconstruction: reconstruction, terms: terms,
      codes: quantized.map(\.codes),
      usage: usage(of: quantized.map(\.codes), in: shard), scales: Self.ofEveryLatent(scales),
      statistics: quantized.map(\.statistics))
  }

  /// The results of all latents, stored by index: an architecture may quantize in another order than that of
  /// ``Architecture/latents``.
  private static func ofEveryLatent<Result>(_ results: [Result?]) -> [Result] {
    let stored = results.compactMap(\.self)
    precondition(stored.count == results.count, "every latent is quantized")
    return stored
  }

  /// Adds terms of the same name, in the order of their first occurrence.
  private static func added(_ terms: [LossTerm]) -> [LossTerm] {
    var result: [LossTerm] = []
    for term in terms {
      if let i = result.firstIndex(where: { $0.name == term.name }) {
        precondition(result[i].weight == term.weight, "\(term.name) has two weights")
        result[i] = LossTerm(term.name, result[i].value + term.value, weight: term.weight)
      } else {
        result.append(term)
      }
    }
    return result
  }

  private static func sum(_ terms: [Variable]) -> Variable? {
    terms.dropFirst().reduce(terms.first) { total, term in total.map { $0 + term } }
  }

  /// The name of a codebook: of a slot of a latent.
  private static func name(_ latent: Latent, slot: Int, of alphabet: [Int]) -> String {
    alphabet.count == 1 ? latent.name : "\(latent.name).\(slot)"
  }

  package var watchedCodebooks: [WatchedCodebook] {
    zip(architecture.latents, quantizers).flatMap { latent, quantizer in
      quantizer.alphabet.indices.map { slot in
        WatchedCodebook(
          Self.name(latent, slot: slot, of: quantizer.alphabet), size: quantizer.alphabet[slot],
          codesPerExample: latent.height * latent.width)
      }
    }
  }

  /// How often each code was chosen, one entry for each codebook: for each slot of each latent.
  ///
  /// - Parameter codes: one entry per latent.
  func usage(of codes: [Codes], in shard: ShardContext) -> [CodebookUsage] {
    zip(architecture.latents, zip(quantizers, codes)).flatMap { latent, pair in
      let (alphabet, codes) = (pair.0.alphabet, pair.1)
      return alphabet.indices.map { slot in
        CodebookUsage(
          Self.name(latent, slot: slot, of: alphabet), codewords: alphabet[slot], codes: codes,
          validCount: shard.validCount * latent.height * latent.width, slot: slot,
          slots: alphabet.count)
      }
    }
  }

  /// The scale of a latent's vectors.
  ///
  /// - Parameter z: `[N, h, w, D]`; only the shard's valid images are counted.
  private func scale(
    ofLatent i: Int, _ z: Variable, _ result: Quantized, in shard: ShardContext
  ) -> LatentScale {
    let latent = architecture.latents[i]
    let rows = shard.validCount * latent.height * latent.width
    // Without a codebook there is nothing that could lag behind the vectors.
    let hasCodewords = quantizers[i].codebook != nil
    return LatentScale(
      latent.name,
      commitment: result.terms.first { $0.name == "commitment" }.map {
        Double($0.value.value.scalar)
      },
      squares: hasCodewords
        ? (z.value.sumOfSquares(rows: rows), result.output.value.sumOfSquares(rows: rows)) : nil)
  }

  // MARK: Evaluation

  /// The codes of images, and the images decoded from them, without gradients.
  ///
  /// - Parameter images: `[N, H, W, C]`.
  package func reconstruct(
    _ images: Tensor, _ values: ParameterValues
  ) -> (reconstruction: Tensor, codes: [Codes]) {
    let (codewords, codes) = quantize(images, values)
    return (architecture.decode(codewords).value, codes)
  }

  /// The codes of images, one entry per latent, without gradients.
  ///
  /// - Parameter images: `[N, H, W, C]`.
  package func encode(_ images: Tensor, _ values: ParameterValues) -> [Codes] {
    quantize(images, values).codes
  }

  /// Decodes codes, to the same bytes as ``reconstruct(_:_:)`` for images with these codes.
  ///
  /// - Parameter codes: one entry per latent, `[N, h, w]`.
  package func decode(_ codes: [Codes], _ values: ParameterValues) -> Tensor {
    precondition(codes.count == quantizers.count, "each latent has codes of its own")
    let tape = Tape(
      values, recording: false, context: ExecutionContext(convolution: convolution))
    return architecture.decode(
      zip(quantizers, codes).map { $0.codewords($1, on: tape) }
    ).value
  }

  /// The vectors of a latent, `[n, D]`, without gradients.
  ///
  /// - Parameter images: `[N, H, W, C]`; encoded a few at a time, to bound the memory.
  func vectors(_ images: Tensor, ofLatent i: Int, _ values: ParameterValues) -> Tensor {
    let (size, extents) = (32, images.shape.extents)
    let parts = stride(from: 0, to: extents[0], by: size).map { first in
      let part = images.items(first..<min(first + size, extents[0]))
      return vectors(ofFew: part, ofLatent: i, values)
    }
    return Tensor(joining: parts)
  }

  private func vectors(
    ofFew images: Tensor, ofLatent i: Int, _ values: ParameterValues
  ) -> Tensor {
    let tape = Tape(
      values, recording: false, context: ExecutionContext(convolution: convolution))
    var result: Tensor?
    _ = architecture.encode(tape.constant(images)) { z, j in
      if j == i { result = z.value.reshaped([z.shape.rows, z.shape.width]) }
      return quantizers[j].codewords(quantizers[j].codes(of: z.value, values), on: tape)
    }
    guard let result else { preconditionFailure("every latent is quantized") }
    return result
  }

  private func quantize(
    _ images: Tensor, _ values: ParameterValues
  ) -> (codewords: [Variable], codes: [Codes]) {
    let tape = Tape(
      values, recording: false, context: ExecutionContext(convolution: convolution))
    var codes = [Codes?](repeating: nil, count: quantizers.count)
    let codewords = architecture.encode(tape.constant(images)) { z, i in
      precondition(codes[i] == nil, "each latent is quantized once")
      let found = quantizers[i].codes(of: z.value, values)
      codes[i] = found
      return quantizers[i].codewords(found, on: tape)
    }
    return (codewords, Self.ofEveryLatent(codes))
  }
}
