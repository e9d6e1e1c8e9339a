import Autograd
import Glibc
import NN
import Tensors

/// A vector-quantized autoencoder: an architecture, a quantizer for each of its latents, and the loss
/// (van den Oord et al. 2017, equation 3)
///
///     L = MSE(x̂, x) / σ² + ‖sg[z] − e‖² + β·‖z − sg[e]‖²
///
/// where σ² is the variance of the training images, so that the first term is the normalised mean
/// squared error, and the others are means over all elements, summed over the latents. Where moving
/// averages make a codebook its second term is missing. An ``Objective`` can say otherwise.
package struct VQVAE: Module {
  package let architecture: any Architecture
  package let quantizers: [Quantizer]
  /// β.
  package let commitment: Float
  package let objective: Objective
  /// Which kernels compute the convolutions.
  package let convolution: ConvolutionMethod

  package init(
    architecture: any Architecture, quantizers: [Quantizer], commitment: Float,
    objective: Objective = Objective(), convolution: ConvolutionMethod = .auto
  ) {
    precondition(
      architecture.latents.count == quantizers.count, "each latent has a quantizer of its own")
    self.architecture = architecture
    self.quantizers = quantizers
    self.commitment = commitment
    self.objective = objective
    self.convolution = convolution
  }

  package var parameters: [Parameter] {
    architecture.parameters + quantizers.flatMap(\.parameters)
  }

  /// The most bits that the codes of an image carry, over all latents: `Σ h·w·log₂ K`.
  package var codeBits: Double {
    zip(architecture.latents, quantizers).reduce(0) { sum, pair in
      sum + Double(pair.0.height * pair.0.width) * log2(Double(pair.1.codewords))
    }
  }

  /// What one shard of a batch gives in training.
  package struct Forward {
    /// The shard's share of the three terms as means, neither β nor the objective applied, and of the
    /// whole that is made of them.
    package let reconstructionLoss: Variable
    package let codebookLoss: Variable?
    package let commitmentLoss: Variable
    package let loss: Variable
    package let reconstruction: Variable
    /// One of each a latent; the statistics only where averages make the codebook.
    package let codes: [Codes]
    package let usage: [CodebookUsage]
    package let statistics: [MovingAverage.Statistics?]
  }

  /// The losses of a shard of a batch.
  ///
  /// Sums over the shard are divided by the element counts of the whole batch, so the shards' losses
  /// and gradients add up to the batch's.
  ///
  /// - Parameters:
  ///   - images: `[N, H, W, 3]`, of which the first `count` are in the batch; the others are padding.
  ///   - batchSize: images of the whole batch.
  ///   - variance: σ².
  package func callAsFunction(
    _ images: Variable, count: Int, batchSize: Int, variance: Double
  ) -> Forward {
    typealias Result = (result: Quantizer.Quantized, vectors: Tensor, leading: Int)
    var results = [Result?](repeating: nil, count: quantizers.count)
    let codewords = architecture.encode(images) { z, i in
      let positions = z.shape[1] * z.shape[2]
      let result = quantizers[i](
        z, factor: 1 / Float(batchSize * positions * z.shape.width), rows: count * positions)
      precondition(results[i] == nil, "each latent is quantized once")
      results[i] = (result, z.value, count * positions)
      return result.output
    }
    let quantized = Self.ofEveryLatent(results)
    let reconstruction = architecture.decode(codewords)

    let elements = Double(batchSize * images.shape[1] * images.shape[2] * images.shape[3])
    let reconstructionLoss = squaredError(
      reconstruction, images, factor: Float(1 / (variance * elements)),
      rows: count * images.shape[1] * images.shape[2])
    let codebookLoss = sum(quantized.compactMap(\.result.codebookLoss))
    guard let commitmentLoss = sum(quantized.map(\.result.commitmentLoss)) else {
      preconditionFailure("a VQ-VAE has at least one latent")
    }
    return Forward(
      reconstructionLoss: reconstructionLoss, codebookLoss: codebookLoss,
      commitmentLoss: commitmentLoss,
      loss: total(
        reconstructionLoss, codebookLoss, commitmentLoss, batchSize: batchSize, variance: variance),
      reconstruction: reconstruction,
      codes: quantized.map(\.result.codes),
      usage: zip(quantizers, quantized).map {
        CodebookUsage(
          codewords: $0.codewords, codes: $1.result.codes, leading: $1.leading)
      },
      statistics: zip(quantizers, quantized).map { quantizer, quantized in
        guard case .movingAverage = quantizer.learning else { return nil }
        return MovingAverage.Statistics(
          vectors: quantized.vectors, codes: quantized.result.codes, leading: quantized.leading,
          codewords: quantizer.codewords)
      })
  }

  /// The whole loss as the objective makes it of the three terms.
  private func total(
    _ reconstruction: Variable, _ codebook: Variable?, _ commitment: Variable, batchSize: Int,
    variance: Double
  ) -> Variable {
    let terms = [
      objective.reconstruction == .mse ? Float(variance) * reconstruction : reconstruction,
      objective.weighting == .both ? codebook.map { self.commitment * $0 } : codebook,
      self.commitment * commitment,
    ]
    guard let mean = sum(terms.compactMap(\.self)) else { preconditionFailure("no losses") }
    return objective.reduction == .meanTimesBatch ? Float(batchSize) * mean : mean
  }

  /// The codes of images and what the decoder makes of their codewords, without gradients.
  ///
  /// - Parameter images: `[N, H, W, 3]`.
  package func reconstruct(
    _ images: Tensor, _ values: ParameterValues
  ) -> (reconstruction: Tensor, codes: [Codes]) {
    let (codewords, codes) = quantize(images, values)
    return (architecture.decode(codewords).value, codes)
  }

  /// The codes of images, one entry a latent, without gradients.
  ///
  /// - Parameter images: `[N, H, W, 3]`.
  package func encode(_ images: Tensor, _ values: ParameterValues) -> [Codes] {
    quantize(images, values).codes
  }

  private func quantize(
    _ images: Tensor, _ values: ParameterValues
  ) -> (codewords: [Variable], codes: [Codes]) {
    let tape = Tape(values, recording: false, convolution: convolution)
    var codes = [Codes?](repeating: nil, count: quantizers.count)
    let codewords = architecture.encode(tape.constant(images)) { z, i in
      let result = quantizers[i].codewords(nearestTo: z)
      precondition(codes[i] == nil, "each latent is quantized once")
      codes[i] = result.codes
      return result.codewords
    }
    return (codewords, Self.ofEveryLatent(codes))
  }

  /// What was stored for each latent by its index: an architecture quantizes in the order that its encoder
  /// needs, which need not be that of ``Architecture/latents``.
  private static func ofEveryLatent<Result>(_ results: [Result?]) -> [Result] {
    let stored = results.compactMap(\.self)
    precondition(stored.count == results.count, "every latent is quantized")
    return stored
  }

  private func sum(_ terms: [Variable]) -> Variable? {
    terms.dropFirst().reduce(terms.first) { total, term in total.map { $0 + term } }
  }
}
