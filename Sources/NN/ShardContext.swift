/// The place of a shard in its batch.
package struct ShardContext: Sendable {
  /// How many images of the shard are in the batch, from the first; the others are padding.
  package let validCount: Int
  /// The number of images in the whole batch. Sums over a shard are divided by counts of the batch, so that
  /// the shards add up to the batch's means.
  package let batchSize: Int

  package init(validCount: Int, batchSize: Int) {
    self.validCount = validCount
    self.batchSize = batchSize
  }
}
