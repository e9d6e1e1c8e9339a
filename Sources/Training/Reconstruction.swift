import Autograd
import Datasets
import Runtime
import Tensors
import VectorQuantization

/// Images of a split and what a model makes of them, as bytes `[height, width, 3]` each.
package struct Reconstructions: Sendable {
  package let originals: [[UInt8]]
  package let reconstructions: [[UInt8]]

  /// - Parameter positions: which images of the split.
  package init(
    of model: VQVAE, _ values: ParameterValues, on split: ImageSplit, at positions: [Int],
    pool: WorkerPool
  ) throws {
    let size = split.height * split.width * 3
    let shards = Shards(of: positions.count)
    let pairs = try pool.map(count: shards.count) { i in
      let bytes = try split.pixels(at: positions[shards[i]])
      let images = Tensor(pixels: bytes, padded: [shards.size, split.height, split.width, 3])
      let made = model.reconstruct(images, values).reconstruction.pixelBytes
      return (0..<shards[i].count).map { n in
        let range = (n * size)..<((n + 1) * size)
        return (Array(bytes[range]), Array(made[range]))
      }
    }.flatMap(\.self)
    originals = pairs.map(\.0)
    reconstructions = pairs.map(\.1)
  }
}
