/// What many measurements of one thing come to, in seconds.
package struct Timing: Sendable, Encodable, Equatable {
  package let median: Double
  package let best: Double

  /// - Parameter samples: at least one.
  package init(_ samples: [Double]) {
    guard let best = samples.min() else { preconditionFailure("nothing was measured") }
    self.best = best
    median = Self.median(samples)
  }

  /// The middle one of the samples, or the mean of the two in the middle; 0 of none.
  package static func median(_ samples: [Double]) -> Double {
    let sorted = samples.sorted()
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// Seconds that some work takes.
  static func seconds(_ work: () throws -> Void) rethrows -> Double {
    try ContinuousClock().measure(work) / .seconds(1)
  }
}
