/// How a batch is cut up: shards of a fixed number of images, the last one padded.
///
/// A shard is computed by one thread from beginning to end, and shards are added up in their order, so
/// no result depends on the number of threads. All shards have the same size, padding included, so that
/// the same buffers serve all of them. That an image's result does not depend on its neighbours is the
/// kernels' doing: each image has products of its own.
package enum Shards {
  /// Images of a shard.
  package static let size = 16

  /// The images of each shard of a batch of `count`.
  package static func ranges(_ count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}
