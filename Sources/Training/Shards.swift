/// How a batch is cut up: shards of one number of images, the last one padded.
///
/// A shard is computed by one thread from beginning to end, and shards are added up along a tree that their
/// number alone decides, so no result depends on the number of threads. All shards have the same size, padding included, so that
/// the same buffers serve all of them. That an image's result does not depend on its neighbours is the
/// kernels' doing: each image has sums of its own.
package struct Shards: Sendable {
  /// Images of a shard.
  package let size: Int
  private let images: Int

  /// Cuts up a batch of `images`.
  ///
  /// Large shards read and add up the parameters' gradients less often; more than 32 images are no
  /// faster, below 8 those costs outweigh the rest. Between the two a batch makes eight shards, for as
  /// many threads.
  ///
  /// - Parameter size: images of a shard, if another number than that is wanted. It decides the order of
  ///   sums, and so the bytes of a run.
  package init(of images: Int, size: Int? = nil) {
    self.images = images
    self.size = size ?? min(32, max(8, images / 64 * 8))
  }

  package var count: Int { (images + size - 1) / size }

  /// The images of shard number i.
  package subscript(i: Int) -> Range<Int> { (i * size)..<min((i + 1) * size, images) }
}
