/// What a shard is in its batch.
package struct ShardContext: Sendable {
  /// How many of the shard's leading images are in the batch; the others are padding.
  package let validCount: Int
  /// Images of the whole batch. Sums over a shard are divided by counts of the batch, so that shards add
  /// up to the batch's means.
  package let batchSize: Int

  package init(validCount: Int, batchSize: Int) {
    self.validCount = validCount
    self.batchSize = batchSize
  }
}
