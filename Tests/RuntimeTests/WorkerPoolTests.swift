import Glibc
import Runtime
import Synchronization
import Testing

@Suite("The worker pool") struct WorkerPoolTests {
  static let threads = [1, 2, 3, 4, 8]

  @Test("every task runs once", arguments: threads, [0, 1, 5, 1000])
  func everyTaskOnce(threads: Int, count: Int) {
    let pool = WorkerPool(threads: threads)
    #expect(pool.threads == threads)
    let runs = Mutex([Int](repeating: 0, count: count))
    // Three jobs, to show that one leaves no state for the next.
    for round in 1...3 {
      pool.forEach(count: count) { task in runs.withLock { $0[task] += 1 } }
      #expect(runs.withLock { $0 } == Array(repeating: round, count: count))
    }
  }

  @Test("a pool has at least one thread", arguments: [0, -3])
  func atLeastOne(threads: Int) {
    let pool = WorkerPool(threads: threads)
    #expect(pool.threads == 1)
    let sum = Mutex(0)
    pool.forEach(count: 4) { task in sum.withLock { $0 += task } }
    #expect(sum.withLock { $0 } == 6)
  }

  @Test("results are in the order of the tasks", arguments: threads, [0, 1, 5, 1000])
  func order(threads: Int, count: Int) throws {
    #expect(
      try WorkerPool(threads: threads).map(count: count) { $0 * $0 } == (0..<count).map { $0 * $0 })
  }

  /// The expected tree over the leaves, as text with a pair of parentheses for each combination.
  private static func tree(_ leaves: ArraySlice<Int>) -> String {
    guard leaves.count > 1 else { return leaves.map(String.init).joined() }
    // The left subtree has the largest power of two below the number of leaves.
    var left = 1
    while left * 2 < leaves.count { left *= 2 }
    let middle = leaves.startIndex + left
    return "(" + tree(leaves[..<middle]) + "+" + tree(leaves[middle...]) + ")"
  }

  @Test(
    "results are combined along a tree that depends on their number alone", arguments: threads,
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 100])
  func shape(threads: Int, count: Int) throws {
    let found = try WorkerPool(threads: threads).reduce(count: count) { task in
      // Makes tasks finish out of order if there are several threads.
      if task % 3 == 0 { usleep(UInt32(task % 7) * 50) }
      return String(task)
    } combine: {
      $0 = "(" + $0 + "+" + $1 + ")"
    }
    #expect(found == Self.tree((0..<count)[...].map(\.self)[...]))
  }

  @Test("reducing no tasks gives nil")
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
    // Terms of very different sizes, so that another order rounds differently.
    @Sendable func term(_ task: Int) -> Float {
      Float(1 + task % 7) / Float(1 + (task * 7919) % 1000)
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
    let total = try WorkerPool(threads: threads).reduce(count: 500) { task in
      let result = Resident(of: census, value: task)
      // The first task of every eight is slow, so that results of the others accumulate.
      if task % 8 == 0 { for _ in 0..<20_000 { census.dawdle() } }
      return (value: task, resident: result)
    } combine: { a, b in
      a = (a.value + b.value, a.resident)
    }
    #expect(total?.value == 500 * 499 / 2)
    // A thread holds at most one result per level, and there are nine levels above the leaves.
    #expect(census.most <= threads * 10)
  }

  @Test("no thread refers to the closure after forEach returns", arguments: threads)
  func closureIsReleased(threads: Int) {
    let pool = WorkerPool(threads: threads)
    for count in [0, 1, 5, 100] {
      // Repeated, because a helper that releases the closure too late would only sometimes be caught.
      for _ in 0..<50 {
        var captured: Census? = Census()
        weak let witness = captured
        pool.forEach(count: count) { [captured] _ in captured?.dawdle() }
        captured = nil
        #expect(witness == nil)
      }
    }
  }

  @Test("the pool does not refer to the results after reduce returns", arguments: threads)
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

  @Test("a pool ends its threads when it is destroyed")
  func pools() {
    for _ in 0..<50 {
      let pool = WorkerPool(threads: 4)
      pool.forEach(count: 2) { _ in }
    }
  }
}

/// The number of live residents, now and at most.
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

/// A result that is counted while it is alive.
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
