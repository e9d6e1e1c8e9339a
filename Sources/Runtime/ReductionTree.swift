/// The nodes of a fixed binary tree that are waiting for their siblings (see
/// ``WorkerPool/reduce(count:_:combine:)``).
final class ReductionTree<Result: Sendable>: Sendable {
  private struct Node: Hashable {
    var level = 0
    var index: Int
  }

  private struct State {
    var waiting: [Node: Result] = [:]
    var root: Result?
    /// What went wrong, and at which leaf; the lowest so far.
    var failure: (piece: Int, error: any Error)?
  }

  private let leaves: Int
  private let state = Monitor(State())

  init(leaves: Int) { self.leaves = leaves }

  /// Adds the result of a leaf, and combines every node whose second child this completes.
  func add(_ result: consuming Result, at leaf: Int, _ combine: (inout Result, Result) -> Void) {
    var node = Node(index: leaf)
    var result = result
    var width = leaves
    while width > 1 {
      let sibling = Node(level: node.level, index: node.index ^ 1)
      if sibling.index < width {
        guard var other = takeOrWait(sibling, else: node, with: &result) else { return }
        // The sum is made in the left one, which nobody else holds.
        if node.index & 1 == 1 { swap(&result, &other) }
        combine(&result, other)
      }
      node = Node(level: node.level + 1, index: node.index / 2)
      width = (width + 1) / 2
    }
    state.withLock { $0.root = result }
  }

  /// The result of a node that is finished; nil if it is not, and then its sibling's result waits for it.
  private func takeOrWait(_ sibling: Node, else node: Node, with result: inout Result) -> Result? {
    state.withLock { state in
      if let other = state.waiting.removeValue(forKey: sibling) { return other }
      state.waiting[node] = result
      return nil
    }
  }

  func hasFailed(before piece: Int) -> Bool {
    state.withLock { $0.failure.map { $0.piece < piece } ?? false }
  }

  func fail(_ error: any Error, at piece: Int) {
    state.withLock { state in
      if piece < state.failure?.piece ?? .max { state.failure = (piece, error) }
    }
  }

  /// The sum over all leaves; throws the error of the lowest leaf that failed.
  func takeRoot() throws -> Result? {
    try state.withLock { state in
      state.failure.map { Swift.Result<Result?, any Error>.failure($0.error) }
        ?? .success(state.root.take())
    }.get()
  }
}
