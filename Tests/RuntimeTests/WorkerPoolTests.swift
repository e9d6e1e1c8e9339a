import Kernels
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

  @Test("results are folded in ascending order", arguments: threads, [0, 1, 5, 1000])
  func ascendingOrder(threads: Int, count: Int) throws {
    let order = try WorkerPool(threads: threads).reduceInOrder(count: count, into: [Int]()) {
      piece in
      piece * piece
    } fold: { order, piece, result in
      order.append(result == piece * piece ? piece : -1)
    }
    #expect(order == Array(0..<count))
  }

  @Test("a sum that depends on its order is the same for any number of threads")
  func sameBytes() throws {
    // Terms of very different size: another order rounds differently.
    let sums = try Self.threads.map { threads in
      try WorkerPool(threads: threads).reduceInOrder(count: 1000, into: Float(0)) { piece in
        Float(1 + piece % 7) / Float(1 + (piece * 7919) % 1000)
      } fold: {
        $0 = $0 * 0.99 + $2
      }
    }
    #expect(Set(sums.map(\.bitPattern)).count == 1)
  }

  @Test("no more results are alive than there are threads", arguments: threads)
  func fewResultsAlive(threads: Int) throws {
    let census = Census()
    let total = try WorkerPool(threads: threads).reduceInOrder(count: 500, into: 0) { piece in
      let result = Resident(of: census, value: piece)
      // The first piece of every eight dawdles, so that the others would pile up if they could.
      if piece % 8 == 0 { for _ in 0..<20_000 { census.dawdle() } }
      return result
    } fold: { total, _, result in
      total += result.value
    }
    #expect(total == 500 * 499 / 2)
    #expect(census.most <= threads)
    #expect(census.now == 0)
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

  @Test("nothing refers to the results any more when reduceInOrder returns", arguments: threads)
  func resultsAreReleased(threads: Int) throws {
    let pool = WorkerPool(threads: threads)
    for _ in 0..<50 {
      let census = Census()
      _ = try pool.reduceInOrder(count: 9, into: 0) {
        Resident(of: census, value: $0)
      } fold: {
        $0 += $2.value
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
