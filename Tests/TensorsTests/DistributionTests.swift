import Foundation
import Tensors
import TestSupport
import Testing

/// Moments of n draws against those of the distribution. The bound is five standard deviations of the moment,
/// each √(variance of the averaged quantity / n). The seed is fixed, so a test that passes once always
/// passes; a generator with an error of a few hundredths fails.
@Suite("Distributions") struct DistributionTests {
  private static let draws = 200_000

  private func expectMean(
    _ values: [Double], _ mean: Double, variance: Double, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let actual = values.reduce(0, +) / Double(values.count)
    let bound = 5 * (variance / Double(values.count)).squareRoot()
    #expect(
      abs(actual - mean) < bound, "\(what): \(actual), expected \(mean) ± \(bound)",
      sourceLocation: sourceLocation)
  }

  private func sample(_ draw: (inout SeededGenerator) -> Float) -> [Double] {
    var generator = SeededGenerator(test: 11)
    return (0..<Self.draws).map { _ in Double(draw(&generator)) }
  }

  @Test("uniform: range, mean 1/2, variance 1/12, all tenths equally often")
  func uniform() {
    let values = sample { $0.uniform() }
    #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
    expectMean(values, 0.5, variance: 1.0 / 12, "mean")
    // The variance of (x − 1/2)² is 1/80 − 1/144 = 1/180.
    expectMean(values.map { ($0 - 0.5) * ($0 - 0.5) }, 1.0 / 12, variance: 1.0 / 180, "variance")
    for tenth in 0..<10 {
      let isInside = values.map { Int($0 * 10) == tenth ? 1.0 : 0 }
      expectMean(isInside, 0.1, variance: 0.09, "tenth \(tenth)")
    }
    // Successive draws are independent: the variance of their product is 1/144.
    let products = zip(values, values.dropFirst()).map { ($0 - 0.5) * ($1 - 0.5) }
    expectMean(products, 0, variance: 1.0 / 144, "correlation")
  }

  @Test("uniform between two numbers: range and mean")
  func uniformBetween() {
    let values = sample { $0.uniform(-3, 5) }
    #expect(values.allSatisfy { $0 >= -3 && $0 < 5 })
    expectMean(values, 1, variance: 64.0 / 12, "mean")
    #expect((values.min() ?? 0) < -2.99 && (values.max() ?? 0) > 4.99)
  }

  @Test("normal: the first four moments, and the share within one standard deviation")
  func normal() {
    let values = sample { $0.normal() }
    #expect(values.allSatisfy { $0.isFinite })
    // The moments of a standard normal: 0, 1, 0, 3, 0, 15, 0, 105.
    expectMean(values, 0, variance: 1, "mean")
    expectMean(values.map { $0 * $0 }, 1, variance: 3 - 1, "second moment")
    expectMean(values.map { pow($0, 3) }, 0, variance: 15, "third moment")
    expectMean(values.map { pow($0, 4) }, 3, variance: 105 - 9, "fourth moment")
    let share = erf(0.5.squareRoot())
    expectMean(
      values.map { abs($0) < 1 ? 1 : 0 }, share, variance: share * (1 - share), "within 1")
    expectMean(zip(values, values.dropFirst()).map { $0 * $1 }, 0, variance: 1, "correlation")
  }

  @Test("truncated normal: nothing beyond two standard deviations, and the variance")
  func truncatedNormal() {
    let values = sample { $0.truncatedNormal() }
    #expect(values.allSatisfy { abs($0) < 2 })
    // 1 − 2·2·φ(2) / (2·Φ(2) − 1).
    let density = exp(-2.0) / (2 * Double.pi).squareRoot()
    let variance = 1 - 4 * density / erf(2 / 2.0.squareRoot())
    expectMean(values, 0, variance: variance, "mean")
    // |x| < 2 bounds the variance of x² by 16/4.
    expectMean(values.map { $0 * $0 }, variance, variance: 4, "variance")
    #expect((values.max() ?? 0) > 1.99 && (values.min() ?? 0) < -1.99)
  }
}
