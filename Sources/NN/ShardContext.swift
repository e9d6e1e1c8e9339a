/// The place of a shard in its batch, and of the batch in its run.
package struct ShardContext: Sendable {
  /// How many images of the shard are in the batch, from the first; the others are padding.
  package let validCount: Int
  /// The number of images in the whole batch. Sums over a shard are divided by counts of the batch, so that
  /// the shards add up to the batch's means.
  package let batchSize: Int
  /// Which image of the batch the shard's first is.
  package let firstImage: Int
  /// The seed of the run. Random numbers follow from it and the step, so that they do not depend on shards.
  package let seed: UInt64
  /// The number of the step, 1 for the first; 0 outside training.
  package let step: Int

  package init(
    validCount: Int, batchSize: Int, firstImage: Int = 0, seed: UInt64 = 0, step: Int = 0
  ) {
    self.validCount = validCount
    self.batchSize = batchSize
    self.firstImage = firstImage
    self.seed = seed
    self.step = step
  }
}
