import Autograd
import NN
import Tensors
import TestSupport
import Testing

/// Means and variances of initial values. With n numbers the mean of a sample is off by more than 5σ/√n, and
/// its variance by more than 5·√2·σ²/√n for the wider of these distributions, less than once in a
/// million; the seed is fixed, so these tests either always pass or never.
@Suite("Initial values of parameters")
struct InitializerTests {
  private static let count = 40_000

  private func moments(_ initializer: Initializer) -> (
    mean: Double, variance: Double, largest: Double
  ) {
    let elements = initializer.tensor([Self.count], seed: 3, name: "x").elements.map(Double.init)
    let mean = elements.reduce(0, +) / Double(Self.count)
    let variance = elements.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(Self.count)
    return (mean, variance, elements.map(abs).max() ?? 0)
  }

  private func check(
    _ initializer: Initializer, mean: Double = 0, variance: Double, largest: Double,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = moments(initializer)
    let bound = 5 / Double(Self.count).squareRoot()
    #expect(
      abs(found.mean - mean) < bound * variance.squareRoot(), sourceLocation: sourceLocation)
    #expect(
      abs(found.variance / variance - 1) < bound * 1.5, sourceLocation: sourceLocation)
    #expect(found.largest <= largest, sourceLocation: sourceLocation)
    #expect(
      found.largest > 0.9 * min(largest, 4 * variance.squareRoot()),
      sourceLocation: sourceLocation)
  }

  @Test("PyTorch's weights are uniform in ±1/√fanIn")
  func pyTorch() {
    check(.pyTorch(fanIn: 48), variance: 1.0 / 48 / 3, largest: 1 / 48.0.squareRoot())
  }

  /// A normal distribution truncated at two standard deviations keeps 0.7737 of its variance.
  @Test("Sonnet's weights are truncated normal with σ = 1/√fanIn")
  func sonnet() {
    check(.sonnet(fanIn: 48), variance: 0.77374 / 48, largest: 2 / 48.0.squareRoot())
  }

  @Test("codebooks have the moments of their distribution: uniform, unit, normal, fan")
  func codebooks() {
    check(.uniform(bound: 1 / 512), variance: 1.0 / 512 / 512 / 3, largest: 1.0 / 512)
    check(.between(0, 1), mean: 0.5, variance: 1.0 / 12, largest: 1)
    check(.normal(standardDeviation: 1), variance: 1, largest: 6)
    let bound = (3.0 / 64).squareRoot()
    check(.uniform(bound: Float(bound)), variance: 1.0 / 64, largest: bound.nextUp + 1e-8)
  }

  @Test("a layer's fan-in follows PyTorch's or Sonnet's definition")
  func fanIn() {
    let convolution = Conv2d("c", inChannels: 3, outChannels: 8, kernelSize: 4)
    #expect(convolution.weight.initializer == .pyTorch(fanIn: 48))
    #expect(convolution.bias?.initializer == .pyTorch(fanIn: 48))
    // PyTorch reads the second extent of [in, out, kh, kw].
    let transposed = ConvTranspose2d("t", inChannels: 8, outChannels: 3, kernelSize: 4, stride: 2)
    #expect(transposed.weight.initializer == .pyTorch(fanIn: 48))
    let sonnet = ConvTranspose2d(
      "t", inChannels: 8, outChannels: 3, kernelSize: 4, stride: 2, initialization: .sonnet)
    #expect(sonnet.weight.initializer == .sonnet(fanIn: 128))
    #expect(sonnet.bias?.initializer == .zeros)
  }

  @Test("an initial value is a function of seed and name")
  func reproducible() {
    let initializer = Initializer.normal(standardDeviation: 1)
    func elements(_ seed: UInt64, _ name: String) -> [Float] {
      initializer.tensor([8], seed: seed, name: name).elements
    }
    #expect(elements(1, "a") == elements(1, "a"))
    #expect(elements(1, "a") != elements(2, "a"))
    #expect(elements(1, "a") != elements(1, "b"))
  }
}
