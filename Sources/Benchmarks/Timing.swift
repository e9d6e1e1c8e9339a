/// The summary of repeated measurements, in seconds.
package struct Timing: Sendable, Encodable, Equatable {
  package let median: Double
  package let best: Double

  /// - Parameter samples: at least one.
  package init(_ samples: [Double]) {
    guard let best = samples.min() else { preconditionFailure("nothing was measured") }
    self.best = best
    median = Self.median(samples)
  }

  /// The middle sample, or the mean of the two middle samples; 0 if there are none.
  package static func median(_ samples: [Double]) -> Double {
    let sorted = samples.sorted()
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// The duration of `work` in seconds.
  static func seconds(_ work: () throws -> Void) rethrows -> Double {
    try ContinuousClock().measure(work) / .seconds(1)
  }
}
