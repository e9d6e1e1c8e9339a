import Autograd
import Glibc
import NN
import Quantizers
import Tensors

/// What a training run needs of a ``VQVAE``, and what it reports.
extension VQVAE: TrainableModel {
  package static var criterion: String { "nmse" }

  // MARK: Training

  /// - Parameter images: `[N, H, W, C]`.
  package func shard(_ images: Tensor, in shard: ShardContext, on tape: Tape) -> ShardResult {
    let output = self(tape.constant(images), in: shard)
    let metrics =
      [Metric("nmse", Double(output.reconstructionLoss.value.scalar), .progress)]
      + output.terms.map {
        Metric($0.name + "Loss", Double($0.value.value.scalar), .term, label: $0.name)
      }
    return ShardResult(
      loss: output.loss,
      measurements: Measurements(
        metrics, usage: output.usage, scales: output.scales),
      statistics: output.statistics.flatMap(\.self))
  }

  package var statisticsShapes: [Shape] { quantizers.flatMap(\.statisticsShapes) }

  package func prepare(
    _ state: inout ModelState, seed: UInt64, sample: (Int) throws -> Tensor
  ) throws {
    for (i, quantizer) in quantizers.enumerated() {
      let (values, latent) = (state.values, architecture.latents[i])
      let positions = latent.height * latent.width
      try quantizer.prepare(&state, seed: seed) { count in
        vectors(try sample((count + positions - 1) / positions), ofLatent: i, values)
      }
    }
  }

  package func update(_ state: inout ModelState, with statistics: [Tensor], step: Int) {
    for (quantizer, own) in zip(quantizers, quantizers.statistics(in: statistics)) {
      quantizer.update(&state, with: own, step: step)
    }
  }

  package func adoptWeights(_ state: inout ModelState) {
    for quantizer in quantizers { quantizer.adoptCodebook(&state) }
  }

  // MARK: Evaluation

  /// The errors of reconstructions, on the scale of pixels from 0 to 1.
  ///
  /// - Parameter images: `[N, H, W, C]`.
  package func evaluate(
    _ images: Tensor, in shard: ShardContext, _ values: ParameterValues
  ) -> Measurements {
    let (reconstruction, codes) = reconstruct(images, values)
    let (elements, total) = (Double(images.count / images.shape[0]), Double(shard.batchSize))
    /// The mean squared error of each image.
    func errors(_ output: Tensor) -> [Double] {
      output.squaredErrors(from: images).prefix(shard.validCount).map { $0 / elements }
    }
    // Sums over images, which the transforms divide by the number of images in the split.
    let error = errors(reconstruction).reduce(0, +)
    let clampedErrors = errors(reconstruction.clamped(-0.5, 0.5))
    let clampedError = clampedErrors.reduce(0, +)
    let psnrs = clampedErrors.reduce(0) { $0 + psnr(ofMSE: $1) }
    let variance = objective.variance
    return Measurements(
      [
        Metric("mse", error, .table, decimals: 6) { $0 / total },
        Metric("nmse", error, .progress, decimals: 5) { $0 / total / variance },
        Metric("mseClamped", clampedError) { $0 / total },
        Metric("psnr", clampedError, .progress, unit: "dB", decimals: 2) {
          psnr(ofMSE: $0 / total)
        },
        Metric(
          "psnrPerImage", psnrs, .table, label: "psnr per image", unit: "dB", decimals: 2
        ) { $0 / total },
      ], usage: usage(of: codes, in: shard))
  }
}

/// `10·log₁₀(1 / mse)`, in decibels; a perfect image counts as 100 dB.
package func psnr(ofMSE mse: Double) -> Double { -10 * log10(max(mse, 1e-10)) }
