/// A fixed binary tree of results (see ``WorkerPool/reduce(count:_:combine:)``). Only nodes that wait for
/// their siblings are stored.
final class ReductionTree<Result: Sendable>: Sendable {
  private struct Node: Hashable {
    var level = 0
    var index: Int
  }

  private struct State {
    var waiting: [Node: Result] = [:]
    var root: Result?
    /// The error of the lowest leaf that has failed so far.
    var failure: (leaf: Int, error: any Error)?
  }

  private let leaves: Int
  private let state = Monitor(State())

  init(leaves: Int) { self.leaves = leaves }

  /// Adds the result of a leaf, then combines upwards as long as a node's sibling is there.
  func add(_ result: consuming Result, at leaf: Int, _ combine: (inout Result, Result) -> Void) {
    var node = Node(index: leaf)
    var result = result
    var width = leaves
    while width > 1 {
      let sibling = Node(level: node.level, index: node.index ^ 1)
      if sibling.index < width {
        guard var other = takeOrWait(sibling, else: node, with: &result) else { return }
        // Combine the right result into the left one.
        if node.index & 1 == 1 { swap(&result, &other) }
        combine(&result, other)
      }
      node = Node(level: node.level + 1, index: node.index / 2)
      width = (width + 1) / 2
    }
    state.withLock { $0.root = result }
  }

  /// Takes the result of `sibling` if it is finished. Otherwise stores `result` for `node`, until its sibling
  /// is finished, and returns nil.
  private func takeOrWait(_ sibling: Node, else node: Node, with result: inout Result) -> Result? {
    state.withLock { state in
      if let other = state.waiting.removeValue(forKey: sibling) { return other }
      state.waiting[node] = result
      return nil
    }
  }

  func hasFailed(before leaf: Int) -> Bool {
    state.withLock { $0.failure.map { $0.leaf < leaf } ?? false }
  }

  func fail(_ error: any Error, at leaf: Int) {
    state.withLock { state in
      if leaf < state.failure?.leaf ?? .max { state.failure = (leaf, error) }
    }
  }

  /// Takes the root, or nil if there are no leaves; throws the error of the lowest leaf that failed.
  func takeRoot() throws -> Result? {
    try state.withLock { state in
      state.failure.map { Swift.Result<Result?, any Error>.failure($0.error) }
        ?? .success(state.root.take())
    }.get()
  }
}
