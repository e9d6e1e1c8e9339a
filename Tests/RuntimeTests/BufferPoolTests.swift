import Runtime
import Testing

/// Each test uses its own sizes, because all tests share the pool.
@Suite("The buffer pool") struct BufferPoolTests {
  @Test("a block that was given back is reused")
  func reuse() {
    let count = 1_000_003
    let first = BufferPool.take(count)
    let second = BufferPool.take(count)
    #expect(first != second)
    BufferPool.giveBack(first, count: count)
    #expect(BufferPool.take(count) == first)
    BufferPool.giveBack(second, count: count)
    BufferPool.giveBack(first, count: count)
    // The block given back last is taken first, because it is most likely still in the cache.
    #expect(BufferPool.take(count) == first)
    #expect(BufferPool.take(count) == second)
    BufferPool.giveBack(second, count: count)
    BufferPool.giveBack(first, count: count)
  }

  @Test("blocks are aligned to 64 bytes", arguments: [0, 1, 15, 16, 17, 1000, 999_983])
  func alignment(count: Int) {
    let block = BufferPool.take(count)
    #expect(UInt(bitPattern: block) % 64 == 0)
    BufferPool.giveBack(block, count: count)
  }

  @Test("blocks in use do not overlap")
  func disjoint() {
    let count = 77
    let blocks = (0..<50).map { _ in BufferPool.take(count) }
    for (i, block) in blocks.enumerated() { block.update(repeating: Float(i), count: count) }
    for (i, block) in blocks.enumerated() {
      #expect((0..<count).allSatisfy { block[$0] == Float(i) })
    }
    for block in blocks { BufferPool.giveBack(block, count: count) }
  }
}
