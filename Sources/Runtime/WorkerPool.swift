import BLAS
import Glibc

/// Threads that wait for pieces of work.
///
/// Which worker runs which piece is left to chance, so a piece must not depend on it;
/// ``reduce(count:_:combine:)`` adds their results up in a fixed order all the same.
package final class WorkerPool: Sendable {
  /// How many threads work, the calling one included.
  package let threads: Int

  private let desk = Desk()
  private let helpers: [Thread]

  /// Also makes BLAS leave the threads to this pool, for the whole process.
  ///
  /// - Parameter threads: how many are wanted; there are fewer where OpenBLAS serves no more callers,
  ///   or where the system gives no more threads, or no memory for OpenBLAS's buffers.
  package init(threads: Int) {
    BLAS.useOneThread()
    let callers = BLAS.reserveBuffers(callers: min(max(threads, 1), BLAS.maximumCallers))
    var helpers: [Thread] = []
    while helpers.count + 1 < callers,
      let helper = Thread({ [desk] in desk.serve() })
    {
      helpers.append(helper)
    }
    self.helpers = helpers
    self.threads = helpers.count + 1
  }

  deinit {
    desk.close()
    for helper in helpers { helper.join() }
  }

  /// Runs `body` for every piece in `0..<count`, each once, and returns when all are done and no
  /// thread holds on to `body`.
  ///
  /// Not re-entrant: a piece must not use the pool that runs it.
  package func forEach(count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    desk.post(count: count, body)
    desk.work()
    desk.waitUntilDone()
  }

  /// Runs `work` for every piece in `0..<count` and returns the results in the order of the pieces.
  ///
  /// After an error the remaining pieces are skipped; of several errors the one of the lowest piece is
  /// thrown.
  package func map<Result: Sendable>(
    count: Int, _ work: @escaping @Sendable (Int) throws -> Result
  ) throws -> [Result] {
    try reduce(count: count) {
      [try work($0)]
    } combine: {
      $0 += $1
    } ?? []
  }

  /// Runs `work` for every piece in `0..<count` and adds the results up along a fixed binary tree.
  ///
  /// Level 0 of the tree is the pieces' results; node k of a level is node 2k of the level below combined
  /// with node 2k + 1, or node 2k itself if that is the last one. The shape depends on `count` alone, so
  /// floating-point sums are the same bits whichever threads, or machines, compute which nodes. A node is
  /// combined by the thread that finishes its second child, outside any lock.
  ///
  /// At most ``threads`` · (1 + log₂ `count`) results are alive at once. After an error the remaining
  /// pieces are skipped; of several errors the one of the lowest piece is thrown.
  ///
  /// - Parameter combine: adds the second result to the first.
  /// - Returns: The root; nil if `count` is 0.
  package func reduce<Result: Sendable>(
    count: Int, _ work: @escaping @Sendable (Int) throws -> Result,
    combine: @escaping @Sendable (inout Result, Result) -> Void
  ) throws -> Result? {
    let tree = ReductionTree<Result>(leaves: count)
    forEach(count: count) { piece in
      guard !tree.hasFailed(before: piece) else { return }
      do {
        tree.add(try work(piece), at: piece, combine)
      } catch {
        tree.fail(error, at: piece)
      }
    }
    return try tree.takeRoot()
  }
}

/// Where the pieces of one job are handed out.
private final class Desk: Sendable {
  private struct State {
    var body: (@Sendable (Int) -> Void)?
    var count = 0
    /// The piece that the next free thread takes.
    var next = 0
    var finished = 0
    var isClosed = false

    var hasPiece: Bool { next < count }
    var isDone: Bool { finished == count }

    mutating func take() -> (Int, @Sendable (Int) -> Void)? {
      guard hasPiece, let body else { return nil }
      defer { next += 1 }
      return (next, body)
    }
  }

  private let state = Monitor(State())

  func post(count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    state.withLock { $0 = State(body: body, count: count) }
  }

  /// Takes pieces until there is none.
  func work() {
    while runPiece() { state.withLock { $0.finished += 1 } }
  }

  /// Runs one piece, and has let go of the job's closure, and of all that it refers to, on return.
  @inline(never)
  private func runPiece() -> Bool {
    guard let (piece, body) = state.withLock({ $0.take() }) else { return false }
    body(piece)
    return true
  }

  /// Works whenever there is something to do, until the desk is closed.
  func serve() {
    while true {
      let isClosed = state.withLock(when: { $0.hasPiece || $0.isClosed }, perform: { $0.isClosed })
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

  /// nil where the system refuses.
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
