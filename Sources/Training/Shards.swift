/// How a batch is divided: into shards of equal size, the last one padded.
///
/// One thread computes a shard from beginning to end, and shards are added along a tree that only their number
/// determines, so no result depends on the number of threads. All shards have the same size, padding
/// included, so that their buffers can be reused. The kernels make sure that an image's result does not depend
/// on the other images of its shard.
package struct Shards: Sendable {
  /// Images per shard.
  package let size: Int
  private let images: Int

  /// Divides a batch of `images`.
  ///
  /// Each shard reads all parameters and adds gradients for all of them. Below 8 images this costs more than
  /// the rest; above 32 nothing is gained. In between a batch has eight shards, for up to eight threads.
  ///
  /// - Parameter size: images per shard, or nil for the rule above. It determines the order of sums, and so
  ///   the bytes of a run.
  package init(of images: Int, size: Int? = nil) {
    self.images = images
    self.size = size ?? min(32, max(8, images / 64 * 8))
  }

  package var count: Int { (images + size - 1) / size }

  /// The images of shard number i.
  package subscript(i: Int) -> Range<Int> { (i * size)..<min((i + 1) * size, images) }
}
