import Autograd

/// How the terms of the loss are combined, besides β: as in the paper, or as in an implementation that is to
/// be reproduced.
package struct Objective: Sendable, Equatable {
  /// What the squared error of the reconstruction is divided by.
  package enum Reconstruction: String, CaseIterable, Sendable {
    /// The variance of the training images.
    case nmse
    /// Nothing: with images of variance σ², the weight of the other terms is 1/σ² times as large.
    case mse
  }

  /// The reduction over the images of a batch.
  package enum Reduction: String, CaseIterable, Sendable {
    case mean
    /// The mean multiplied by the number of images in the batch. This is not a sum over images: elements are
    /// still averaged. Under Adam the factor cancels, except through ε.
    case meanTimesBatch = "mean_times_batch"
  }

  package var reconstruction = Reconstruction.nmse
  package var reduction = Reduction.mean
  /// σ², the variance of the training images' pixels.
  package var variance: Double

  package init(variance: Double = 1) { self.variance = variance }

  /// The loss, from the reconstruction error over σ² and the weighted sum of the quantizers' terms.
  func total(_ nmse: Variable, _ quantizers: Variable?, batchSize: Int) -> Variable {
    let reconstruction = reconstruction == .mse ? Float(variance) * nmse : nmse
    let mean = quantizers.map { reconstruction + $0 } ?? reconstruction
    return reduction == .meanTimesBatch ? Float(batchSize) * mean : mean
  }
}
