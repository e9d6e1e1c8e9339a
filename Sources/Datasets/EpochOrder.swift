import Tensors

extension RandomPurpose {
  package static let shuffle = RandomPurpose(2)
}

/// The images of each training step.
///
/// Every epoch goes through all images in a new order. A batch at the end of an epoch continues with the next
/// epoch. The order is a function of seed and epoch, so the batch of a step does not depend on where a run
/// was resumed.
package struct EpochOrder: Sendable {
  private let seed: UInt64
  private let count: Int
  /// The orders of the current epoch, and of the next if a batch extends into it.
  private var cache: [Int: [Int32]] = [:]

  /// - Parameter count: the number of training images.
  package init(seed: UInt64, count: Int) {
    precondition(count > 0, "there are no images to put in order")
    self.seed = seed
    self.count = count
  }

  /// The image indices of a batch, in the training split.
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
