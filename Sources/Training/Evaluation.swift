import Autograd
import Datasets
import Glibc
import Runtime
import Tensors
import VectorQuantization

/// What a model makes of a whole split. Errors are on the scale of pixels from 0 to 1.
package struct Evaluation: Sendable {
  package let images: Int
  /// The mean squared error of the decoder's output as it is.
  package let mse: Double
  /// `mse` over the variance of the training images.
  package let nmse: Double
  /// The mean squared error after cutting the output off at black and white.
  package let mseClamped: Double
  /// The mean over the images of each one's PSNR, in decibels.
  package let psnrPerImage: Double
  /// One for each codebook.
  package let usage: [CodebookUsage]

  /// What the log of a run keeps of it, besides the use of the codebooks.
  package var metrics: [Metric] {
    [Metric("mse", mse), Metric("nmse", nmse), Metric("psnr", psnr)]
  }

  /// The PSNR of ``mseClamped``, in decibels.
  package var psnr: Double { Self.psnr(mseClamped) }

  /// `10·log₁₀(1 / mse)`; a perfect image counts as 100 dB.
  static func psnr(_ mse: Double) -> Double { -10 * log10(max(mse, 1e-10)) }

  /// Evaluates a model on every image of a split, each weighted the same.
  ///
  /// - Parameter shouldStop: asked before each shard; once it says true the result is nil.
  package init?(
    of model: VQVAE, _ values: ParameterValues, on split: ImageSplit, variance: Double,
    pool: WorkerPool, shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws {
    let shards = Shards(of: split.count)
    let sums = try pool.reduce(count: shards.count) { i in
      shouldStop()
        ? nil : try Sums(of: model, values, on: split, at: shards[i], paddedTo: shards.size)
    } combine: { sums, shard in
      if let shard { sums? += shard } else { sums = nil }
    }
    guard let sum = sums ?? nil, split.count > 0 else { return nil }
    images = split.count
    mse = sum.squaredError / Double(split.count)
    nmse = mse / variance
    mseClamped = sum.clampedError / Double(split.count)
    psnrPerImage = sum.psnr / Double(split.count)
    usage = sum.usage
  }

  /// Sums over some images of what is a mean in the end.
  private struct Sums: Sendable {
    var squaredError = 0.0
    var clampedError = 0.0
    var psnr = 0.0
    var usage: [CodebookUsage]

    /// The sums over one shard.
    init(
      of model: VQVAE, _ values: ParameterValues, on split: ImageSplit, at positions: Range<Int>,
      paddedTo size: Int
    ) throws {
      let images = try split.images(at: positions, paddedTo: size)
      let (reconstruction, codes) = model.reconstruct(images, values)
      let pixels = Double(images.count / size)
      let errors = reconstruction.squaredErrors(from: images).prefix(positions.count)
      let clamped = reconstruction.clamped(-0.5, 0.5).squaredErrors(from: images)
        .prefix(positions.count)
      squaredError = errors.reduce(0) { $0 + $1 / pixels }
      clampedError = clamped.reduce(0) { $0 + $1 / pixels }
      psnr = clamped.reduce(0) { $0 + Evaluation.psnr($1 / pixels) }
      usage = zip(model.quantizers, codes).map { quantizer, codes in
        CodebookUsage(
          codewords: quantizer.alphabet[0], codes: codes,
          leading: codes.count / size * positions.count)
      }
    }

    static func += (a: inout Sums, b: Sums) {
      a.squaredError += b.squaredError
      a.clampedError += b.clampedError
      a.psnr += b.psnr
      for i in a.usage.indices { a.usage[i] += b.usage[i] }
    }
  }
}
