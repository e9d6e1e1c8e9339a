/// How a batch is cut up: shards of a fixed number of images, the last one padded.
///
/// A shard is computed by one thread from beginning to end, and shards are added up in their order, so
/// no result depends on the number of threads. All shards have the same size, padding included, because
/// OpenBLAS may round a product differently for another number of rows: so an image's result does not
/// depend on how many neighbours it has.
package enum Shards {
  /// Images of a shard.
  package static let size = 16

  /// The images of each shard of a batch of `count`.
  package static func ranges(_ count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}
