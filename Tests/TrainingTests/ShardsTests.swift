import Testing
import Training

@Suite("Shards")
struct ShardsTests {
  @Test("every image is in one shard, in order, and no shard is larger than its size")
  func cover() {
    for images in 0...700 {
      let shards = Shards(of: images)
      var next = 0
      for i in 0..<shards.count {
        #expect(shards[i].lowerBound == next && !shards[i].isEmpty)
        #expect(shards[i].count <= shards.size)
        next = shards[i].upperBound
      }
      #expect(next == images)
    }
  }

  @Test(
    "a batch keeps several threads busy, a large one with large shards",
    arguments: [(1, 8, 1), (32, 8, 4), (64, 8, 8), (128, 16, 8), (256, 32, 8), (1000, 32, 32)])
  func sizes(images: Int, size: Int, count: Int) {
    let shards = Shards(of: images)
    #expect(shards.size == size && shards.count == count)
  }

  @Test("a requested size is used", arguments: [(256, 16, 16), (70, 11, 7), (5, 100, 1)])
  func askedFor(images: Int, size: Int, count: Int) {
    let shards = Shards(of: images, size: size)
    #expect(shards.size == size && shards.count == count)
    #expect((0..<count).reduce(0) { $0 + shards[$1].count } == images)
  }
}
