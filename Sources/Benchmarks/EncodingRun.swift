import Autoencoders
import Autograd
import Datasets
import Models
import Runtime
import Tensors
import Training

/// The encoding of one batch, shard by shard, with the images already in memory.
struct EncodingRun: Sendable {
  private let model: VQVAE
  private let batches: [Tensor]

  init(_ experiment: Experiment<VQVAE>, _ images: ImageSplit) throws {
    let training = experiment.configuration.training
    let count = min(training.batchSize, images.count)
    let shards = Shards(of: training.batchSize, size: training.shardImages)
    model = experiment.model
    batches = try (0..<shards.count).map {
      try images.images(at: shards[$0].map { $0 % count }, paddedTo: shards.size)
    }
  }

  /// The duration of one encoding.
  func seconds(_ values: ParameterValues, pool: WorkerPool) -> Double {
    Timing.seconds {
      pool.forEach(count: batches.count) { [model, batches] in
        _ = model.encode(batches[$0], values)
      }
    }
  }
}
