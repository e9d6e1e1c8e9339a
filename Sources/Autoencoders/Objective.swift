import Autograd

/// How the terms of the loss are put together, besides β: the paper's way, or that of a program whose
/// numbers are to be met.
package struct Objective: Sendable, Equatable {
  /// What the error of the reconstruction is divided by.
  package enum Reconstruction: String, CaseIterable, Sendable {
    /// The variance of the training images.
    case nmse
    /// Nothing: for images of variance σ², the other terms weigh 1/σ² times as much in the whole.
    case mse
  }

  /// What becomes of the batch's images.
  package enum Reduction: String, CaseIterable, Sendable {
    case mean
    /// The mean multiplied by the number of images in the batch. It is no sum over images, whose
    /// elements would not be divided by either, and Adam divides the factor out again but for its ε.
    case meanTimesBatch = "mean_times_batch"
  }

  package var reconstruction = Reconstruction.nmse
  package var reduction = Reduction.mean
  /// σ², the variance of the training images' pixels.
  package var variance: Double

  package init(variance: Double = 1) { self.variance = variance }

  /// The whole loss of the reconstruction error over σ² and of the weighted sum of the quantizers' terms.
  func total(_ nmse: Variable, _ quantizers: Variable?, batchSize: Int) -> Variable {
    let reconstruction = reconstruction == .mse ? Float(variance) * nmse : nmse
    let mean = quantizers.map { reconstruction + $0 } ?? reconstruction
    return reduction == .meanTimesBatch ? Float(batchSize) * mean : mean
  }
}
