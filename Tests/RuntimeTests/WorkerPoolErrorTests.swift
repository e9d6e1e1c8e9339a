import Runtime
import Synchronization
import Testing

@Suite("Errors in the worker pool") struct WorkerPoolErrorTests {
  private struct Failure: Error, Equatable {
    let task: Int
  }

  @Test("the error of the lowest task is thrown", arguments: WorkerPoolTests.threads)
  func lowestError(threads: Int) {
    let pool = WorkerPool(threads: threads)
    for _ in 0..<20 {
      // All tasks from 3 on fail, in an unpredictable order.
      #expect(throws: Failure(task: 3)) {
        try pool.reduce(count: 100) { task in
          if task >= 3 { throw Failure(task: task) }
          return task
        } combine: {
          $0 += $1
        }
      }
    }
  }

  @Test("tasks after the failed one are skipped", arguments: WorkerPoolTests.threads)
  func laterTasksAreSkipped(threads: Int) {
    let worked = Mutex([Int]())
    #expect(throws: Failure(task: 2)) {
      try WorkerPool(threads: threads).map(count: 100_000) { task in
        worked.withLock { $0.append(task) }
        if task == 2 { throw Failure(task: task) }
        return task
      }
    }
    // Tasks that other threads have begun by then are finished, but not the rest.
    #expect(worked.withLock { $0.count } < 100_000)
  }

  @Test("the pool can be used after an error", arguments: WorkerPoolTests.threads)
  func usableAfterwards(threads: Int) throws {
    let pool = WorkerPool(threads: threads)
    for _ in 0..<5 {
      #expect(throws: Failure(task: 0)) {
        try pool.reduce(count: 10) { _ -> Int in
          throw Failure(task: 0)
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
    #expect(throws: Failure(task: 6)) {
      try WorkerPool(threads: threads).reduce(count: 40) { task in
        if task == 6 { throw Failure(task: task) }
        return Resident(of: census, value: task)
      } combine: { _, _ in
      }
    }
    #expect(census.now == 0)
  }
}
