import Tensors
import Testing

/// Checks the shape and every element of a tensor against a reference in double precision.
///
/// Errors are relative to the largest magnitude in the reference, because the rounding errors of sums scale
/// with it.
///
/// - Parameter tolerance: the largest error allowed, relative to that magnitude.
package func expectClose(
  _ actual: Tensor, _ expected: DoubleTensor, tolerance: Double = 1e-5, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.shape.extents == expected.shape else {
    Issue.record(
      "\(what) has the shape \(actual.shape), expected \(expected.shape)",
      sourceLocation: sourceLocation)
    return
  }
  let error = largestError(actual.elements, expected.elements)
  #expect(
    error <= tolerance, "\(what): error \(error) of the largest element",
    sourceLocation: sourceLocation)
}

/// Checks one tensor against another.
package func expectClose(
  _ actual: Tensor, _ expected: Tensor, tolerance: Double = 1e-5, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectClose(
    actual, DoubleTensor(expected), tolerance: tolerance, what, sourceLocation: sourceLocation)
}

/// The largest difference, divided by the largest magnitude of the reference; infinite if any element is not
/// finite.
package func largestError(_ actual: [Float], _ expected: [Double]) -> Double {
  var scale = 1e-30
  var error = 0.0
  for (a, e) in zip(actual, expected) {
    guard a.isFinite, e.isFinite else { return .infinity }
    scale = max(scale, abs(e))
    error = max(error, abs(Double(a) - e))
  }
  return error / scale
}
