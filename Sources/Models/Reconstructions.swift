import Autoencoders
import Autograd
import Datasets
import Runtime
import Tensors
import Training

/// Images of a split and their reconstructions, as bytes `[height, width, channels]` each.
package struct Reconstructions: Sendable {
  package let originals: [[UInt8]]
  package let reconstructions: [[UInt8]]

  /// - Parameter indices: which images of the split.
  package init(
    of model: VQVAE, _ values: ParameterValues, on split: ImageSplit, at indices: [Int],
    pool: WorkerPool
  ) throws {
    let size = split.image.count
    let shards = Shards(of: indices.count)
    let pairs = try pool.map(count: shards.count) { i in
      let original = try split.pixels(at: indices[shards[i]])
      let images = Tensor(pixels: original, padded: split.image.shape(images: shards.size))
      let reconstructed = model.reconstruct(images, values).reconstruction.pixelBytes
      return (0..<shards[i].count).map { n in
        let range = (n * size)..<((n + 1) * size)
        return (Array(original[range]), Array(reconstructed[range]))
      }
    }.flatMap(\.self)
    originals = pairs.map(\.0)
    reconstructions = pairs.map(\.1)
  }
}
