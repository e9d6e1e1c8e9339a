import Kernels
import Runtime
import Synchronization
import Testing

@Suite("Errors in the worker pool") struct WorkerPoolErrorTests {
  private struct Failure: Error, Equatable {
    let piece: Int
  }

  @Test("the error of the lowest piece is thrown", arguments: WorkerPoolTests.threads)
  func lowestError(threads: Int) {
    let pool = WorkerPool(threads: threads)
    for _ in 0..<20 {
      // All pieces from 3 on fail; which thread is first is left to chance.
      #expect(throws: Failure(piece: 3)) {
        try pool.reduce(count: 100) { piece in
          if piece >= 3 { throw Failure(piece: piece) }
          return piece
        } combine: {
          $0 += $1
        }
      }
    }
  }

  @Test("later pieces are skipped", arguments: WorkerPoolTests.threads)
  func laterPiecesAreSkipped(threads: Int) {
    let worked = Mutex([Int]())
    #expect(throws: Failure(piece: 2)) {
      try WorkerPool(threads: threads).map(count: 100_000) { piece in
        worked.withLock { $0.append(piece) }
        if piece == 2 { throw Failure(piece: piece) }
        return piece
      }
    }
    // What other threads have begun by then is finished; it is nowhere near all.
    #expect(worked.withLock { $0.count } < 100_000)
  }

  @Test("the pool works on after an error", arguments: WorkerPoolTests.threads)
  func usableAfterwards(threads: Int) throws {
    let pool = WorkerPool(threads: threads)
    for _ in 0..<5 {
      #expect(throws: Failure(piece: 0)) {
        try pool.reduce(count: 10) { _ -> Int in
          throw Failure(piece: 0)
        } combine: {
          $0 += $1
        }
      }
      #expect(
        try pool.reduce(count: 10) {
          $0
        } combine: {
          $0 += $1
        } == 45)
    }
  }

  @Test("results before and after an error are released", arguments: WorkerPoolTests.threads)
  func releasedAfterError(threads: Int) {
    let census = Census()
    #expect(throws: Failure(piece: 6)) {
      try WorkerPool(threads: threads).reduce(count: 40) { piece in
        if piece == 6 { throw Failure(piece: piece) }
        return Resident(of: census, value: piece)
      } combine: { _, _ in
      }
    }
    #expect(census.now == 0)
  }
}
