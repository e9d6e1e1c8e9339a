/// Examples that a model is trained or evaluated on, numbered from 0.
package protocol Examples<Batch>: Sendable {
  associatedtype Batch: Sendable

  var count: Int { get }

  /// Reads some examples.
  ///
  /// - Parameter size: how many examples the result has; those that are missing are padding.
  func batch(at indices: some Collection<Int>, paddedTo size: Int) throws -> Batch
}
