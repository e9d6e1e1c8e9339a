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
        try pool.reduceInOrder(count: 100, into: 0) { piece in
          if piece >= 3 { throw Failure(piece: piece) }
          return piece
        } fold: {
          $0 += $2
        }
      }
    }
  }

  @Test("nothing is folded from the failed piece on", arguments: WorkerPoolTests.threads)
  func foldStops(threads: Int) {
    let folded = Mutex([Int]())
    #expect(throws: Failure(piece: 5)) {
      try WorkerPool(threads: threads).reduceInOrder(count: 50, into: 0) { piece in
        if piece == 5 { throw Failure(piece: piece) }
        return piece
      } fold: { _, piece, _ in
        folded.withLock { $0.append(piece) }
      }
    }
    #expect(folded.withLock { $0 } == [0, 1, 2, 3, 4])
  }

  @Test("later pieces are skipped", arguments: WorkerPoolTests.threads)
  func laterPiecesAreSkipped(threads: Int) {
    let worked = Mutex([Int]())
    #expect(throws: Failure(piece: 2)) {
      try WorkerPool(threads: threads).reduceInOrder(count: 1000, into: 0) { piece in
        worked.withLock { $0.append(piece) }
        if piece == 2 { throw Failure(piece: piece) }
        return piece
      } fold: {
        $0 += $2
      }
    }
    // A thread takes a piece beyond its first only after its last one had its turn: when piece 2
    // has failed, the other threads hold at most one piece each.
    #expect(worked.withLock { $0.max() ?? 0 } <= 1 + threads)
  }

  @Test("an error of the fold is thrown too, and ends the job", arguments: WorkerPoolTests.threads)
  func foldError(threads: Int) {
    let pool = WorkerPool(threads: threads)
    #expect(throws: Failure(piece: 4)) {
      try pool.reduceInOrder(count: 30, into: 0) {
        $0
      } fold: { _, piece, _ in
        if piece >= 4 { throw Failure(piece: piece) }
      }
    }
  }

  @Test("the pool works on after an error", arguments: WorkerPoolTests.threads)
  func usableAfterwards(threads: Int) throws {
    let pool = WorkerPool(threads: threads)
    for _ in 0..<5 {
      #expect(throws: Failure(piece: 0)) {
        try pool.reduceInOrder(count: 10, into: 0) { _ -> Int in
          throw Failure(piece: 0)
        } fold: {
          $0 += $2
        }
      }
      let sum = try pool.reduceInOrder(count: 10, into: 0) {
        $0
      } fold: {
        $0 += $2
      }
      #expect(sum == 45)
    }
  }

  @Test("results before and after an error are released", arguments: WorkerPoolTests.threads)
  func releasedAfterError(threads: Int) {
    let census = Census()
    #expect(throws: Failure(piece: 6)) {
      try WorkerPool(threads: threads).reduceInOrder(count: 40, into: 0) { piece in
        if piece == 6 { throw Failure(piece: piece) }
        return Resident(of: census, value: piece)
      } fold: {
        $0 += $2.value
      }
    }
    #expect(census.now == 0)
  }
}
