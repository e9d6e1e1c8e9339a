import NN
import TestSupport
import Testing

@Suite("The learning rate")
struct LearningRateTests {
  private func rate(_ schedule: LearningRate.Schedule, warmup: Int, steps: Int) -> LearningRate {
    var rate = LearningRate(peak: 1e-2, steps: steps)
    rate.schedule = schedule
    rate.end = 1e-4
    rate.warmupSteps = warmup
    return rate
  }

  @Test(
    "linear warm-up and cosine decay agree with PyTorch",
    arguments: zip([0, 1, 4, 24], [10, 10, 25, 25]))
  func pyTorch(warmup: Int, steps: Int) throws {
    let expected = try Golden("training")("schedule.\(warmup).\(steps)").elements
    #expect(expected.count == steps)
    let rate = rate(.cosine, warmup: warmup, steps: steps)
    for (i, value) in expected.enumerated() {
      // The golden is rounded to Float.
      #expect(abs(rate(step: i + 1) / Double(value) - 1) < 1e-7, "step \(i + 1)")
    }
  }

  @Test("a constant rate may have a warm-up, and does not depend on the number of steps")
  func constant() {
    let short = rate(.constant, warmup: 4, steps: 5)
    #expect((1...6).map { short(step: $0) } == [0.0025, 0.005, 0.0075, 0.01, 0.01, 0.01])
    let long = rate(.constant, warmup: 4, steps: 5000)
    #expect((1...10).map { long(step: $0) } == (1...10).map { short(step: $0) })
    #expect(rate(.constant, warmup: 0, steps: 5)(step: 1) == 1e-2)
  }

  @Test("a cosine decays from its peak, and reaches its end value after the last step")
  func cosine() {
    let rate = rate(.cosine, warmup: 3, steps: 43)
    #expect(rate(step: 3) == 1e-2 && rate(step: 4) == 1e-2)
    for step in 5...43 { #expect(rate(step: step) < rate(step: step - 1)) }
    #expect(abs(rate(step: 24) - (1e-2 + 1e-4) / 2) < 1e-12)
    #expect(rate(step: 43) > 1e-4)
    #expect(rate(step: 44) == 1e-4)
  }
}
