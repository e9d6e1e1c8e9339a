import Kernels
import Tensors
import TestSupport
import Testing

/// AdamW as in its paper (algorithm 2, with the learning rate on both terms, like PyTorch), in double
/// precision; without decay it is Adam.
private struct NaiveAdam {
  var parameters: [Double]
  var first: [Double]
  var second: [Double]

  init(_ parameters: Tensor) {
    self.parameters = parameters.elements.map(Double.init)
    first = Array(repeating: 0, count: parameters.count)
    second = first
  }

  mutating func step(
    _ gradient: [Double], rate: Double, beta1: Double, beta2: Double, epsilon: Double,
    decay: Double = 0, scale: Double = 1, t: Int
  ) {
    var (product1, product2) = (1.0, 1.0)
    for _ in 0..<t {
      product1 *= beta1
      product2 *= beta2
    }
    for i in parameters.indices {
      let g = scale * gradient[i]
      first[i] = beta1 * first[i] + (1 - beta1) * g
      second[i] = beta2 * second[i] + (1 - beta2) * g * g
      let m = first[i] / (1 - product1)
      let v = second[i] / (1 - product2)
      parameters[i] *= 1 - rate * decay
      parameters[i] -= rate * m / (v.squareRoot() + epsilon)
    }
  }
}

@Suite("Adam") struct AdamUpdateTests {
  @Test("ten steps follow the paper", arguments: [1, 15, 16, 17, 33, 1000])
  func tenSteps(count: Int) {
    for (beta1, beta2, epsilon) in [(0.9, 0.999, 1e-8), (0.5, 0.9, 1e-3), (0, 0.99, 1e-8)] {
      var generator = SeededGenerator(test: count)
      // From zero, so that the parameters are the steps and are not rounded against larger numbers.
      var parameters = Tensor(zeros: [count])
      var first = Tensor(zeros: [count])
      var second = Tensor(zeros: [count])
      var naive = NaiveAdam(parameters)
      for t in 1...10 {
        let gradient = generator.tensor([count])
        parameters.adamStep(
          gradient: gradient, firstMoment: &first, secondMoment: &second, learningRate: 0.1,
          beta1: beta1, beta2: beta2, epsilon: epsilon, step: t)
        naive.step(
          gradient.elements.map(Double.init), rate: 0.1, beta1: beta1, beta2: beta2,
          epsilon: epsilon, t: t)
      }
      // Ten steps of a few roundings each; the numbers are of one sign and size.
      let what = "β₁ \(beta1), β₂ \(beta2), ε \(epsilon)"
      expectClose(parameters, DoubleTensor([count], naive.parameters), tolerance: 1e-6, what)
      expectClose(first, DoubleTensor([count], naive.first), tolerance: 1e-6, what)
      expectClose(second, DoubleTensor([count], naive.second), tolerance: 1e-6, what)
    }
  }

  @Test("decay and scale follow AdamW", arguments: [1, 15, 16, 17, 33, 1000])
  func decayAndScale(count: Int) {
    for (decay, scale) in [(0.1, 1), (0, 0.37), (3, 0.02), (1e-2, 1)] {
      var generator = SeededGenerator(test: count)
      var parameters = generator.tensor([count])
      var first = Tensor(zeros: [count])
      var second = Tensor(zeros: [count])
      var naive = NaiveAdam(parameters)
      for t in 1...10 {
        let gradient = generator.tensor([count])
        parameters.adamStep(
          gradient: gradient, firstMoment: &first, secondMoment: &second, learningRate: 0.1,
          beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: decay, gradientScale: scale, step: t
        )
        naive.step(
          gradient.elements.map(Double.init), rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
          decay: decay, scale: scale, t: t)
      }
      let what = "λ \(decay), scale \(scale)"
      expectClose(parameters, DoubleTensor([count], naive.parameters), tolerance: 2e-6, what)
      expectClose(first, DoubleTensor([count], naive.first), tolerance: 1e-6, what)
      expectClose(second, DoubleTensor([count], naive.second), tolerance: 1e-6, what)
    }
  }

  /// As a factor in Float, 1 − 1e-6 takes 1.3 % too much from every parameter. With the decay as a separate
  /// term there is only the rounding of each parameter, half a unit in the last place up or down, which is
  /// 3 % of this decay and averages out over many parameters.
  @Test("a small decay is exact on average over many parameters")
  func smallDecay() {
    var generator = SeededGenerator(test: 8)
    let count = 1 << 14
    let start = (0..<count).map { _ in generator.uniform(0.5, 1) }
    var parameters = Tensor([count], start)
    var (first, second) = (Tensor(zeros: [count]), Tensor(zeros: [count]))
    parameters.adamStep(
      gradient: Tensor(zeros: [count]), firstMoment: &first, secondMoment: &second,
      learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 1e-3, step: 1)
    let before = start.reduce(0) { $0 + Double($1) }
    let after = parameters.elements.reduce(0) { $0 + Double($1) }
    #expect(abs((1 - after / before) / 1e-6 - 1) < 2e-3)
    // The decay as a factor fails this test.
    #expect(abs((1 - Double(1 - Float(1e-6))) / 1e-6 - 1) > 1e-2)
  }

  @Test(
    "the first step is the learning rate against the gradient's sign, whatever the gradient's size")
  func firstStep() {
    let gradient = Tensor([4], [1e-3, -5, 300, -1e-2])
    var parameters = Tensor(zeros: [4])
    var first = Tensor(zeros: [4])
    var second = Tensor(zeros: [4])
    parameters.adamStep(
      gradient: gradient, firstMoment: &first, secondMoment: &second, learningRate: 0.01,
      beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 1)
    // ε is 1e-5 of the smallest gradient.
    expectClose(
      parameters, DoubleTensor([4], [-0.01, 0.01, -0.01, 0.01]), tolerance: 2e-5)
  }

  @Test("without a gradient nothing moves, and nothing is divided by zero")
  func zeroGradient() {
    var parameters = Tensor([3], [1, -2, 3])
    var first = Tensor(zeros: [3])
    var second = Tensor(zeros: [3])
    parameters.adamStep(
      gradient: Tensor(zeros: [3]), firstMoment: &first, secondMoment: &second, learningRate: 1,
      beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 1)
    #expect(parameters.elements == [1, -2, 3])
  }

  @Test("late steps have no bias correction left", arguments: [10_000, 1_000_000])
  func lateStep(step: Int) {
    // The limits of the moments for a constant gradient of 2: the step is the learning rate.
    var parameters = Tensor(zeros: [1])
    var first = Tensor([1], [2])
    var second = Tensor([1], [4])
    parameters.adamStep(
      gradient: Tensor([1], [2]), firstMoment: &first, secondMoment: &second, learningRate: 0.5,
      beta1: 0.9, beta2: 0.999, epsilon: 0, step: step)
    // 1 − 0.999¹⁰⁰⁰⁰ is 4.5e-5 below 1.
    expectClose(parameters, DoubleTensor([1], [-0.5]), tolerance: 3e-5)
  }
}
