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
    let pairs = try pool.reduceInOrder(count: shards.count, into: [([UInt8], [UInt8])]()) { i in
      let bytes = try split.pixels(at: positions[shards[i]])
      let images = Tensor(pixels: bytes, padded: [shards.size, split.height, split.width, 3])
      return (bytes, model.reconstruct(images, values).reconstruction.pixelBytes)
    } fold: { pairs, i, result in
      for n in 0..<shards[i].count {
        let range = (n * size)..<((n + 1) * size)
        pairs.append((Array(result.0[range]), Array(result.1[range])))
      }
    }
    originals = pairs.map(\.0)
    reconstructions = pairs.map(\.1)
  }
}
