import Autograd
import NN
import Runtime
import Tensors
import TestSupport
import Testing

@Suite("Gradient clipping")
struct GradientClippingTests {
  /// Many different sizes, so that another order of summation rounds differently.
  private let parameters = (0..<60).map {
    Parameter(
      "p\(($0 * 37) % 60)", [1 + ($0 * 53) % 400], initializer: .normal(standardDeviation: 1))
  }

  private var gradients: [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: parameters.enumerated().map { i, parameter in
        // Over some orders of magnitude.
        let values = parameter.initializer.tensor(parameter.shape, seed: 5, name: parameter.name)
        return (parameter.name, Float(1 << (i % 20)) * values)
      })
  }

  private func norm(
    _ gradients: [String: Tensor], _ parameters: [Parameter],
    pool: WorkerPool = WorkerPool(threads: 1)
  ) -> Double {
    GradientClipping.norm(of: parameters.compactMap { gradients[$0.name] }, pool: pool)
  }

  @Test("the norm is that of all elements together")
  func allElements() {
    let gradients = gradients
    var sum = 0.0
    for parameter in parameters {
      for element in gradients[parameter.name]!.elements {
        sum += Double(element) * Double(element)
      }
    }
    let norm = self.norm(gradients, parameters)
    // The sum of some ten thousand squares in Double, in two different orders.
    #expect(abs(norm / sum.squareRoot() - 1) < 1e-13)
    let one = [parameters[3]]
    let alone = self.norm(gradients, one)
    #expect(alone < norm && alone > 0)
    #expect(self.norm([:], parameters) == 0)
  }

  @Test("the norm has the same bits for any number of threads")
  func deterministic() {
    let expected = norm(gradients, parameters)
    for threads in [1, 2, 3, 4] {
      let pool = WorkerPool(threads: threads)
      #expect(norm(gradients, parameters, pool: pool) == expected)
    }
    // Checks that the test is sensitive: some other orders of the parameters give another last bit.
    let others = (1..<parameters.count).map { first in
      norm(gradients, Array(parameters[first...] + parameters[..<first]))
    }
    #expect(others.contains { $0 != expected })
    #expect(others.allSatisfy { abs($0 / expected - 1) < 1e-14 })
  }

  @Test("a norm below the limit is not scaled, one above is scaled to the limit")
  func scale() {
    let clipping = GradientClipping(limit: 2)
    #expect(clipping.scale(norm: 0) == 1)
    #expect(clipping.scale(norm: 1.9999) == 1)
    #expect(clipping.scale(norm: 2) == 2 / (2 + 1e-6))
    #expect(clipping.scale(norm: 8) == 2 / (8 + 1e-6))
  }

  @Test("ten steps of AdamW, clipped or not, agree with PyTorch", arguments: ["plain", "clipped"])
  func pyTorch(name: String) throws {
    let golden = try Golden("training")
    let weight = Parameter("weight", [37], initializer: .zeros)
    var state = ModelState(
      values: ParameterValues(["weight": try golden("adamw.start")]), momentsOf: [weight])
    let optimizer = Adam([weight], options: .init(learningRate: 1e-2, weightDecay: 0.1))
    let gradients = try golden("adamw.gradients").elements
    let norms = try golden("adamw.norms").elements
    let clipping = GradientClipping(limit: 3.5)
    let pool = WorkerPool(threads: 2)
    var clipped = 0
    for step in 1...10 {
      let gradient = Tensor([37], Array(gradients[(37 * (step - 1))..<(37 * step)]))
      let norm = GradientClipping.norm(of: [gradient], pool: pool)
      #expect(abs(norm / Double(norms[step - 1]) - 1) < 1e-7)
      let scale = name == "clipped" ? clipping.scale(norm: norm) : 1
      if scale < 1 { clipped += 1 }
      optimizer.update(&state, scale: scale, step: step, pool: pool) { _ in gradient }
    }
    #expect(name == "plain" ? clipped == 0 : (1..<10).contains(clipped))
    // Ten roundings of numbers of at most 1.
    expectClose(state.values[weight], try golden("adamw.\(name)"), tolerance: 1e-6, name)
  }
}
