import Autograd
import KernelTypes
import Tensors
import TestSupport
import Testing

/// Central differences against `backward`, for every operation.
///
/// All operations but ReLU, the hyperbolic tangent, normalisation and rounding are linear or quadratic in
/// each input, so the differences are exact up to the rounding of Float, which the tolerance of
/// `checkGradients`, 1e-4, allows for.
@Suite("Gradients agree with central differences")
struct GradientCheckTests {
  private var generator = SeededGenerator(test: 1)

  @Test("add, subtract, scale and sum")
  mutating func arithmetic() {
    let a = generator.tensor([3, 5])
    let b = generator.tensor([3, 5])
    checkGradients(of: [a, b], "add") { $0[0] + $0[1] }
    checkGradients(of: [a, b], "subtract") { $0[0] - $0[1] }
    checkGradients(of: [a], "scale") { -2.5 * $0[0] }
    checkGradients(of: [a], "sum") { $0[0].sum() }
  }

  @Test("an input that is used several times collects the gradients of all uses")
  mutating func severalUses() {
    let a = generator.tensor([2, 3])
    checkGradients(of: [a], "a + a + 3a") { $0[0] + $0[0] + 3 * $0[0] }
    checkGradients(of: [a], "a − a") { $0[0] - 0.5 * $0[0] }
  }

  @Test("ReLU, away from its corner")
  mutating func reluGradient() {
    let elements: [Float] = [-2, -1, -0.6, 0.6, 1, 2]
    checkGradients(of: [Tensor([2, 3], elements)], "relu") { relu($0[0]) }
  }

  /// Curved everywhere, so the difference is taken over a small step. Its error is at most a third of the
  /// squared step, 2e-5, plus about as much for the rounding of Float.
  @Test("the hyperbolic tangent")
  func hyperbolicTangent() {
    let elements: [Float] = [-3, -1, -0.6, -0.1, 0, 0.1, 0.6, 0.63, 1, 3]
    checkGradients(of: [Tensor([2, 5], elements)], step: 0x1p-7, "tanh") { tanh($0[0]) }
  }

  @Test("squared error, over all rows and over the first rows", arguments: [4, 2, 0])
  func squaredErrors(rows: Int) {
    var generator = SeededGenerator(test: 2)
    let a = generator.tensor([4, 3])
    let b = generator.tensor([4, 3])
    checkGradients(of: [a, b], "squared error of \(rows) rows") {
      squaredError($0[0], $0[1], factor: 0.7, rows: rows)
    }
  }

  @Test("lookup, with rows that are used twice and rows that are not used")
  mutating func lookup() {
    let table = generator.tensor([5, 3])
    checkGradients(of: [table], "lookup") { lookUp(Codes([4], [1, 3, 1, 0]), in: $0[0]) }
  }

  @Test("concatenation of two tensors, of three, and of one tensor twice")
  mutating func concatenation() {
    let a = generator.tensor([2, 2, 3])
    let b = generator.tensor([2, 2, 5])
    let c = generator.tensor([2, 2, 1])
    checkGradients(of: [a, b], "two") { concatenate($0[0], $0[1]) }
    checkGradients(of: [a, b, c], "three") { concatenate($0[0], $0[1], $0[2]) }
    checkGradients(of: [a, b], "one twice") { concatenate($0[0], $0[1], $0[0]) }
  }

  @Test("a concatenated constant gets no gradient, and the other tensors get theirs")
  mutating func concatenationWithConstant() throws {
    let tape = Tape()
    let (a, b) = (tape.leaf(generator.tensor([2, 3])), tape.constant(generator.tensor([2, 2])))
    let output = concatenate(b, a)
    let gradient = Tensor([2, 5], (0..<10).map(Float.init))
    let gradients = tape.backward(from: output, gradient: gradient)
    #expect(gradients[b] == nil)
    #expect(try #require(gradients[a]).elements == [2, 3, 4, 7, 8, 9])
  }

  @Test(
    "convolution and its transpose",
    arguments: [
      ConvolutionWindow(kernelSize: 1), ConvolutionWindow(kernelSize: 3, padding: 1),
      ConvolutionWindow(kernelSize: 4, stride: 2, padding: 1),
      ConvolutionWindow(kernelSize: 3, stride: 2),
      ConvolutionWindow(
        kernelHeight: 3, kernelWidth: 3, stride: 2,
        padding: Padding(top: 0, left: 0, bottom: 1, right: 1)),
    ])
  func convolution(window: ConvolutionWindow) {
    var generator = SeededGenerator(test: 3)
    let k = window.kernelHeight
    let images = generator.tensor([2, 5, 6, 2])
    let filters = generator.tensor([k, k, 2, 3])
    checkGradients(of: [images, filters, generator.tensor([3])], "convolution \(window)") {
      convolve($0[0], $0[1], bias: $0[2], window: window)
    }
    checkGradients(of: [images, filters], "convolution without bias \(window)") {
      convolve($0[0], $0[1], bias: nil, window: window)
    }
    let maps = generator.tensor([2, 3, 2, 3])
    checkGradients(of: [maps, filters, generator.tensor([2])], "transposed \(window)") {
      convolveTransposed($0[0], $0[1], bias: $0[2], window: window)
    }
  }

  @Test("nearest-neighbour upsampling, and its result")
  func upsampling() {
    var generator = SeededGenerator(test: 8)
    let images = generator.tensor([2, 2, 3, 5])
    checkGradients(of: [images], "upsampling") { upsampleNearest($0[0]) }
    let result = images.upsampledNearest()
    #expect(result.shape == [2, 4, 6, 5])
    let (small, large) = (DoubleTensor(images), DoubleTensor(result))
    for n in 0..<2 {
      for y in 0..<4 {
        for x in 0..<6 {
          for c in 0..<5 { #expect(large[n, y, x, c] == small[n, y / 2, x / 2, c]) }
        }
      }
    }
  }

  /// Curved, so the difference is taken over a small step, with a larger tolerance. The tests of the kernel
  /// are stricter: they compare with the definition in double precision.
  @Test("group normalisation with and without SiLU", arguments: [true, false])
  func groupNormalization(silu: Bool) {
    var generator = SeededGenerator(test: 9)
    let inputs = [generator.tensor([2, 3, 2, 4]), generator.tensor([4]), generator.tensor([4])]
    checkGradients(of: inputs, step: 0x1p-7, tolerance: 1e-3, "normalisation") {
      groupNormalize(
        $0[0], weight: $0[1], bias: $0[2], groups: 2, epsilon: 1e-2, silu: silu)
    }
  }

  @Test("dropout passes gradients where it passed elements, and only in training")
  func dropping() throws {
    var generator = SeededGenerator(test: 10)
    let images = generator.tensor([4, 3, 5, 7])
    func run(_ source: DropoutSource?, _ images: Tensor, _ name: String = "a") throws -> [[Float]] {
      let tape = Tape(context: ExecutionContext(random: source))
      let leaf = tape.leaf(images)
      let output = dropout(leaf, probability: 0.4, name: name)
      let gradients = tape.backward(
        from: output, gradient: Tensor(images.shape, repeating: 1))
      return [output.value.elements, try #require(gradients[leaf]).elements]
    }
    let source = DropoutSource(seed: 1, step: 3, firstImage: 0)
    let (output, gradient) = try (run(source, images)[0], run(source, images)[1])
    #expect(zip(output, gradient).allSatisfy { ($0 == 0) == ($1 == 0) })
    #expect(gradient.contains(0) && gradient.contains { abs($0 - 1 / 0.6) < 1e-6 })
    for (element, (y, g)) in zip(images.elements, zip(output, gradient)) {
      #expect(y == element * g)
    }
    // Another step and another layer have other masks.
    #expect(try run(DropoutSource(seed: 1, step: 4, firstImage: 0), images)[1] != gradient)
    #expect(try run(source, images, "b")[1] != gradient)
    // The last two of four images, as in a shard.
    let half = Tensor([2, 3, 5, 7], Array(images.elements[210...]))
    #expect(
      try run(DropoutSource(seed: 1, step: 3, firstImage: 2), half)[0] == Array(output[210...]))
    #expect(try run(nil, images)[0] == images.elements)
  }

  @Test("a convolution with a residual, with and without a bias")
  func convolutionWithResidual() {
    var generator = SeededGenerator(test: 6)
    let window = ConvolutionWindow(kernelSize: 3, padding: 1)
    let images = generator.tensor([2, 4, 5, 2])
    let filters = generator.tensor([3, 3, 2, 3])
    let residual = generator.tensor([2, 4, 5, 3])
    checkGradients(of: [images, filters, residual], "without bias") {
      convolve($0[0], $0[1], bias: nil, residual: $0[2], window: window)
    }
    checkGradients(of: [images, filters, generator.tensor([3]), residual], "with bias") {
      convolve($0[0], $0[1], bias: $0[2], residual: $0[3], window: window)
    }
  }

  @Test("a convolution with ReLU inside has the output and gradients of one with ReLU after it")
  func convolutionWithReLU() {
    var generator = SeededGenerator(test: 5)
    let window = ConvolutionWindow(kernelSize: 3, padding: 1)
    let inputs = [
      generator.tensor([2, 5, 6, 2]), generator.tensor([3, 3, 2, 2]), generator.tensor([2]),
    ]
    let weights = generator.tensor([2, 5, 6, 2])
    func results(_ function: ([Variable]) -> Variable) -> [[Float]?] {
      let tape = Tape()
      let leaves = inputs.map(tape.leaf)
      let output = function(leaves)
      let gradients = tape.backward(from: output, gradient: weights)
      return [output.value.elements] + leaves.map { gradients[$0]?.elements }
    }
    #expect(
      results { convolve($0[0], $0[1], bias: $0[2], relu: true, window: window) }
        == results { relu(convolve($0[0], $0[1], bias: $0[2], window: window)) })
    #expect(
      results { convolveTransposed($0[0], $0[1], bias: $0[2], relu: true, window: window) }
        == results { relu(convolveTransposed($0[0], $0[1], bias: $0[2], window: window)) })
  }

  @Test("a gradient that is off by one percent fails the check")
  func sensitivity() {
    var generator = SeededGenerator(test: 4)
    let a = generator.tensor([2, 3])
    withKnownIssue {
      checkGradients(of: [a], "wrong") { OnePercentOff.apply([$0[0]]).output }
    }
  }
}

/// The identity, with a gradient that is one percent too large.
private enum OnePercentOff: Function {
  static func forward(_ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>) -> Tensor {
    inputs[0]
  }

  static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    [1.01 * gradient]
  }
}
