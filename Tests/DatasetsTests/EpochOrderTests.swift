import Datasets
import Testing

@Suite("EpochOrder")
struct EpochOrderTests {
  /// The image indices of many steps, concatenated.
  private func sequence(seed: UInt64 = 1, count: Int, size: Int, steps: Int) -> [Int] {
    var order = EpochOrder(seed: seed, count: count)
    return (0..<steps).flatMap { order.batch(step: $0, size: size) }
  }

  private func epochs(_ sequence: [Int], count: Int) -> [[Int]] {
    stride(from: 0, through: sequence.count - count, by: count).map {
      Array(sequence[$0..<($0 + count)])
    }
  }

  @Test(
    "Every epoch is a permutation of all images, even if batches straddle its end",
    arguments: [
      (100, 10), (100, 7), (100, 99), (100, 100), (100, 101), (7, 32), (3, 10), (1, 1), (1, 5),
      (5, 1),
    ])
  func permutations(count: Int, size: Int) {
    let sequence = sequence(count: count, size: size, steps: 5 * count)
    #expect(sequence.count == 5 * count * size)
    for (i, epoch) in epochs(sequence, count: count).enumerated() {
      #expect(epoch.sorted() == Array(0..<count), "epoch \(i)")
    }
  }

  @Test("Epochs differ from each other and from the order of the files")
  func differ() {
    let epochs = epochs(sequence(count: 50, size: 25, steps: 40), count: 50)
    #expect(epochs.count == 20)
    #expect(Set(epochs).count == 20)
    #expect(!epochs.contains(Array(0..<50)))
  }

  @Test("The order of the images does not depend on the batch size")
  func sizes() {
    let one = sequence(count: 20, size: 1, steps: 120)
    for size in [2, 3, 24, 60] {
      #expect(sequence(count: 20, size: size, steps: 120 / size) == one)
    }
  }

  @Test("A batch is a function of its step alone", arguments: [(100, 7), (10, 64), (64, 64)])
  func randomAccess(count: Int, size: Int) {
    var order = EpochOrder(seed: 2, count: count)
    let batches = (0..<60).map { order.batch(step: $0, size: size) }
    // Forwards, backwards, far jumps and repeated steps, with a reused and with a fresh order.
    var jumping = EpochOrder(seed: 2, count: count)
    for step in [59, 0, 58, 1, 1, 30, 31, 29, 14, 13, 45, 59] {
      #expect(jumping.batch(step: step, size: size) == batches[step])
      var fresh = EpochOrder(seed: 2, count: count)
      #expect(fresh.batch(step: step, size: size) == batches[step])
    }
  }

  @Test("A step far into a run is available without computing those before it")
  func far() {
    var order = EpochOrder(seed: 3, count: 10)
    let step = 1_000_000_000
    let epoch = order.batch(step: step, size: 5) + order.batch(step: step + 1, size: 5)
    #expect(epoch.sorted() == Array(0..<10))
  }

  @Test("Different seeds give different orders")
  func seeds() {
    let orders = (0..<10).map { sequence(seed: $0, count: 50, size: 50, steps: 1) }
    #expect(Set(orders).count == 10)
  }

  @Test("Every image is equally likely at every place")
  func uniform() {
    // 4,000 epochs of 5 images: each of the 25 counts has mean 800 and standard deviation 25.3.
    var counts = Array(repeating: Array(repeating: 0, count: 5), count: 5)
    for epoch in epochs(sequence(count: 5, size: 5, steps: 4000), count: 5) {
      for (place, image) in epoch.enumerated() { counts[place][image] += 1 }
    }
    for count in counts.joined() { #expect(abs(count - 800) < 130) }
  }
}
