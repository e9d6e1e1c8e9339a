import BLAS
import Glibc

/// A pool of threads that run the tasks of one job at a time.
///
/// Which thread runs which task is unpredictable, so a task must not depend on it.
/// ``reduce(count:_:combine:)`` nevertheless combines the results in a fixed order.
package final class WorkerPool: Sendable {
  /// The number of threads that run tasks, including the calling thread.
  package let threads: Int

  private let queue = JobQueue()
  private let helpers: [Thread]

  /// Starts the threads, and makes BLAS single-threaded for the whole process.
  ///
  /// - Parameter threads: the number wanted. There are fewer if OpenBLAS supports fewer concurrent callers,
  ///   or if the system refuses more threads or the memory for OpenBLAS's buffers.
  package init(threads: Int) {
    BLAS.useOneThread()
    let callers = BLAS.reserveBuffers(callers: min(max(threads, 1), BLAS.maximumCallers))
    var helpers: [Thread] = []
    while helpers.count + 1 < callers,
      let helper = Thread({ [queue] in queue.serve() })
    {
      helpers.append(helper)
    }
    self.helpers = helpers
    self.threads = helpers.count + 1
  }

  deinit {
    queue.close()
    for helper in helpers { helper.join() }
  }

  /// Runs `body` once for every task in `0..<count`. When it returns, all tasks are done and no thread
  /// refers to `body` any more.
  ///
  /// Not re-entrant: a task must not use the pool that runs it.
  package func forEach(count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    queue.post(count: count, body)
    queue.work()
    queue.waitUntilDone()
  }

  /// Runs `work` for every task in `0..<count` and returns the results in the order of the tasks.
  ///
  /// Throws the error of the lowest task that fails; higher tasks that have not started are then skipped.
  package func map<Result: Sendable>(
    count: Int, _ work: @escaping @Sendable (Int) throws -> Result
  ) throws -> [Result] {
    try reduce(count: count) {
      [try work($0)]
    } combine: {
      $0 += $1
    } ?? []
  }

  /// Runs `work` for every task in `0..<count` and combines the results along a fixed binary tree.
  ///
  /// Level 0 of the tree is the tasks' results. Node k of a level is node 2k of the level below combined with
  /// node 2k + 1, or node 2k itself if that is the last one. The shape depends on `count` alone, so
  /// floating-point sums have the same bits whichever threads, or machines, compute which nodes. A node is
  /// combined by the thread that finishes its second child, outside any lock.
  ///
  /// At most ``threads`` · (1 + log₂ `count`) results are alive at once. Throws the error of the lowest task
  /// that fails; higher tasks that have not started are then skipped.
  ///
  /// - Parameter combine: adds the second result to the first.
  /// - Returns: The root, or nil if `count` is 0.
  package func reduce<Result: Sendable>(
    count: Int, _ work: @escaping @Sendable (Int) throws -> Result,
    combine: @escaping @Sendable (inout Result, Result) -> Void
  ) throws -> Result? {
    let tree = ReductionTree<Result>(leaves: count)
    forEach(count: count) { task in
      guard !tree.hasFailed(before: task) else { return }
      do {
        tree.add(try work(task), at: task, combine)
      } catch {
        tree.fail(error, at: task)
      }
    }
    return try tree.takeRoot()
  }
}

/// Hands out the tasks of the current job to the threads.
private final class JobQueue: Sendable {
  private struct State {
    var body: (@Sendable (Int) -> Void)?
    var count = 0
    /// The task that the next free thread takes.
    var next = 0
    var finished = 0
    var isClosed = false

    var hasTask: Bool { next < count }
    var isDone: Bool { finished == count }

    mutating func take() -> (Int, @Sendable (Int) -> Void)? {
      guard hasTask, let body else { return nil }
      defer { next += 1 }
      return (next, body)
    }
  }

  private let state = Monitor(State())

  func post(count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    state.withLock { $0 = State(body: body, count: count) }
  }

  /// Runs tasks until none is left.
  func work() {
    while runTask() { state.withLock { $0.finished += 1 } }
  }

  /// Runs one task; returns false if none is left. Not inlined, so that on return the thread has released the
  /// job's closure and all that it refers to.
  @inline(never)
  private func runTask() -> Bool {
    guard let (task, body) = state.withLock({ $0.take() }) else { return false }
    body(task)
    return true
  }

  /// Runs tasks whenever there are any, until the queue is closed.
  func serve() {
    while true {
      let isClosed = state.withLock(when: { $0.hasTask || $0.isClosed }, perform: { $0.isClosed })
      if isClosed { return }
      work()
    }
  }

  func waitUntilDone() {
    state.withLock(when: { $0.isDone }, perform: { $0.body = nil })
  }

  func close() {
    state.withLock { $0.isClosed = true }
  }
}

/// A thread of the operating system.
private final class Thread: Sendable {
  private let handle: pthread_t

  /// Starts a thread; nil if the system refuses.
  init?(_ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Box(body))
    var handle = pthread_t()
    let status = pthread_create(
      &handle, nil,
      { argument in
        Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
    guard status == 0 else {
      box.release()
      return nil
    }
    self.handle = handle
  }

  func join() { pthread_join(handle, nil) }

  private final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
