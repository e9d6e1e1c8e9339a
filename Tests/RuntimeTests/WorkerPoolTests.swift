import Glibc
import Runtime
import Synchronization
import Testing

@Suite("The worker pool") struct WorkerPoolTests {
  static let threads = [1, 2, 3, 4, 8]

  @Test("every piece runs once", arguments: threads, [0, 1, 5, 1000])
  func everyPieceOnce(threads: Int, count: Int) {
    let pool = WorkerPool(threads: threads)
    #expect(pool.threads == threads)
    let runs = Mutex([Int](repeating: 0, count: count))
    // A pool serves many jobs; three show that one leaves nothing behind for the next.
    for round in 1...3 {
      pool.forEach(count: count) { piece in runs.withLock { $0[piece] += 1 } }
      #expect(runs.withLock { $0 } == Array(repeating: round, count: count))
    }
  }

  @Test("a pool has at least one thread", arguments: [0, -3])
  func atLeastOne(threads: Int) {
    let pool = WorkerPool(threads: threads)
    #expect(pool.threads == 1)
    let sum = Mutex(0)
    pool.forEach(count: 4) { piece in sum.withLock { $0 += piece } }
    #expect(sum.withLock { $0 } == 6)
  }

  @Test("results come in the order of the pieces", arguments: threads, [0, 1, 5, 1000])
  func order(threads: Int, count: Int) throws {
    #expect(
      try WorkerPool(threads: threads).map(count: count) { $0 * $0 } == (0..<count).map { $0 * $0 })
  }

  /// A text shows which results were combined, and how.
  private static func tree(_ leaves: ArraySlice<Int>) -> String {
    guard leaves.count > 1 else { return leaves.map(String.init).joined() }
    // The left subtree is the largest whole power of two below the number of leaves.
    var left = 1
    while left * 2 < leaves.count { left *= 2 }
    let middle = leaves.startIndex + left
    return "(" + tree(leaves[..<middle]) + "+" + tree(leaves[middle...]) + ")"
  }

  @Test(
    "results are combined along the tree that their number alone decides", arguments: threads,
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 100])
  func shape(threads: Int, count: Int) throws {
    let found = try WorkerPool(threads: threads).reduce(count: count) { piece in
      // Out of order, as far as there are threads for it.
      if piece % 3 == 0 { usleep(UInt32(piece % 7) * 50) }
      return String(piece)
    } combine: {
      $0 = "(" + $0 + "+" + $1 + ")"
    }
    #expect(found == Self.tree((0..<count)[...].map(\.self)[...]))
  }

  @Test("nothing to reduce is nil")
  func nothing() throws {
    #expect(
      try WorkerPool(threads: 2).reduce(count: 0) {
        $0
      } combine: {
        $0 += $1
      } == nil)
  }

  @Test("a sum that depends on its order is the same for any number of threads")
  func sameBytes() throws {
    // Terms of very different size: another order rounds differently.
    @Sendable func term(_ piece: Int) -> Float {
      Float(1 + piece % 7) / Float(1 + (piece * 7919) % 1000)
    }
    let sums = try Self.threads.map { threads in
      try #require(
        try WorkerPool(threads: threads).reduce(count: 1000) {
          term($0)
        } combine: {
          $0 += $1
        })
    }
    #expect(Set(sums.map(\.bitPattern)).count == 1)
    #expect(sums[0] != (0..<1000).reduce(0) { $0 + term($1) })
  }

  @Test("few results are alive at once", arguments: threads)
  func fewResultsAlive(threads: Int) throws {
    let census = Census()
    let total = try WorkerPool(threads: threads).reduce(count: 500) { piece in
      let result = Resident(of: census, value: piece)
      // The first piece of every eight dawdles, so that the others pile up.
      if piece % 8 == 0 { for _ in 0..<20_000 { census.dawdle() } }
      return (value: piece, resident: result)
    } combine: { a, b in
      a = (a.value + b.value, a.resident)
    }
    #expect(total?.value == 500 * 499 / 2)
    // A thread holds a result for each level at most, and there are nine above the leaves.
    #expect(census.most <= threads * 10)
  }

  @Test("nothing refers to the closure any more when forEach returns", arguments: threads)
  func closureIsReleased(threads: Int) {
    let pool = WorkerPool(threads: threads)
    for count in [0, 1, 5, 100] {
      // Many times: a helper that lets go late would be caught now and then only.
      for _ in 0..<50 {
        var captured: Census? = Census()
        weak let witness = captured
        pool.forEach(count: count) { [captured] _ in captured?.dawdle() }
        captured = nil
        #expect(witness == nil)
      }
    }
  }

  @Test("nothing refers to the results any more when reduce returns", arguments: threads)
  func resultsAreReleased(threads: Int) throws {
    let pool = WorkerPool(threads: threads)
    for _ in 0..<50 {
      let census = Census()
      do {
        _ = try pool.reduce(count: 9) {
          Resident(of: census, value: $0)
        } combine: { _, _ in
        }
      }
      #expect(census.now == 0)
    }
  }

  @Test("an idle pool ends its threads when it goes")
  func pools() {
    for _ in 0..<50 {
      let pool = WorkerPool(threads: 4)
      pool.forEach(count: 2) { _ in }
    }
  }
}

/// How many residents are alive, and how many were at most.
final class Census: Sendable {
  private let counts = Mutex((now: 0, most: 0))

  var now: Int { counts.withLock { $0.now } }
  var most: Int { counts.withLock { $0.most } }

  func arrive() {
    counts.withLock {
      $0.now += 1
      $0.most = max($0.most, $0.now)
    }
  }

  func leave() { counts.withLock { $0.now -= 1 } }

  /// Takes a moment.
  func dawdle() { counts.withLock { $0.now += 0 } }
}

/// A result that is counted for as long as it lives.
final class Resident: Sendable {
  let value: Int
  private let census: Census

  init(of census: Census, value: Int) {
    self.census = census
    self.value = value
    census.arrive()
  }

  deinit { census.leave() }
}
