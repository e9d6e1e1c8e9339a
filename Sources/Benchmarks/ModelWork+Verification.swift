import Autoencoders
import Models
import Training

extension ModelWork {
  /// Compares every kernel of an experiment with the reference, on the images of one shard.
  func verification(of experiment: Experiment<VQVAE>) throws -> Verification {
    let training = experiment.configuration.training
    return try Verification(
      calls, images: Shards(of: training.batchSize, size: training.shardImages).size,
      searches: experiment.model.quantizers.compactMap { $0.codebook.map(CodebookSearch.init) },
      kernels: ConvolutionKernels(experiment.model.convolution))
  }
}
