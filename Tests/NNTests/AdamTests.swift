import Autograd
import NN
import Runtime
import Tensors
import TestSupport
import Testing

@Suite("Adam")
struct AdamTests {
  private let weight = Parameter("weight", [3], initializer: .uniform(bound: 1))
  private let idle = Parameter("idle", [2], initializer: .uniform(bound: 1))
  private let average = Parameter("average", [2], initializer: .uniform(bound: 1), role: .buffer)

  /// The reference is algorithm 1 of Kingma and Ba (2015), in double precision.
  @Test("ten steps agree with the algorithm in double precision")
  func tenSteps() {
    var state = ModelState(initial: [weight], seed: 1)
    let optimizer = Adam([weight], options: .init(learningRate: 0.01))
    var theta = state.values[weight].elements.map(Double.init)
    var m = [0.0, 0, 0]
    var v = [0.0, 0, 0]
    var generator = SeededGenerator(test: 5)
    for step in 1...10 {
      let gradient = generator.tensor([3])
      optimizer.update(&state, step: step, pool: WorkerPool(threads: 1)) { _ in gradient }
      for i in 0..<3 {
        let g = Double(gradient.elements[i])
        m[i] = 0.9 * m[i] + 0.1 * g
        v[i] = 0.999 * v[i] + 0.001 * g * g
        let (c1, c2) = (correction(0.9, step), correction(0.999, step))
        theta[i] -= 0.01 * (m[i] / c1) / ((v[i] / c2).squareRoot() + 1e-8)
      }
      // Ten roundings of numbers below 2 add up to less than 1e-6.
      expectClose(state.values[weight], DoubleTensor([3], theta), tolerance: 2e-6, "step \(step)")
    }
  }

  private func correction(_ beta: Double, _ step: Int) -> Double {
    1 - (0..<step).reduce(1) { product, _ in product * beta }
  }

  @Test(
    "buffers and parameters without a gradient do not change, even with weight decay",
    arguments: [0, 0.5])
  func untouched(weightDecay: Double) {
    let parameters = [weight, idle, average]
    var state = ModelState(initial: parameters, seed: 1)
    let before = state.values
    let optimizer = Adam(
      parameters, options: .init(learningRate: 0.01, weightDecay: weightDecay))
    let gradient = Tensor([3], repeating: 1)
    optimizer.update(&state, step: 1, pool: WorkerPool(threads: 1)) {
      $0.name == "weight" ? gradient : nil
    }
    let values = state.values
    #expect(values[weight].elements != before[weight].elements)
    #expect(values[idle].elements == before[idle].elements)
    #expect(values[average].elements == before[average].elements)
  }
}
