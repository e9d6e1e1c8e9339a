import Tensors

extension RandomPurpose {
  package static let shuffle = RandomPurpose(2)
}

/// Which images each training step takes.
///
/// Every epoch goes through all images in a fresh order; a batch that an epoch does not fill goes on
/// with the next. The order is a function of seed and epoch, so the batch of a step does not depend on
/// where a run was resumed.
package struct EpochOrder: Sendable {
  private let seed: UInt64
  private let count: Int
  /// The orders in use: of an epoch, and of the next where a batch reaches into it.
  private var cache: [Int: [Int32]] = [:]

  /// - Parameter count: images of the training split.
  package init(seed: UInt64, count: Int) {
    precondition(count > 0, "there are no images to put in order")
    self.seed = seed
    self.count = count
  }

  /// The positions of the images of a batch in the training split.
  ///
  /// - Parameter step: 0 for the first.
  package mutating func batch(step: Int, size: Int) -> [Int] {
    let first = step * size
    let epochs = (first / count)...((first + size - 1) / count)
    cache = cache.filter { epochs.contains($0.key) }
    for epoch in epochs where cache[epoch] == nil {
      var generator = SeededGenerator(seed: seed, purpose: .shuffle, stream: UInt64(epoch))
      cache[epoch] = generator.permutation(count)
    }
    return (first..<(first + size)).map { Int(cache[$0 / count]![$0 % count]) }
  }
}
