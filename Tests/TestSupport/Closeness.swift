import Tensors
import Testing

/// Checks a tensor against a reference in double precision: the shape first, then every element.
///
/// The error of an element is measured against the largest element of the reference, which is what the
/// rounding of a sum scales with.
///
/// - Parameter tolerance: the largest error allowed, relative to that largest element.
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

/// The largest difference over the largest magnitude of the reference; infinite where something is not
/// a number.
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
