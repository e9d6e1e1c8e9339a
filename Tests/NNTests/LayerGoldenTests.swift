import Autograd
import NN
import Tensors
import TestSupport
import Testing

/// Layers against values that PyTorch computed in double precision.
///
/// Float sums of at most a few hundred products differ from these by some 1e-7 of the largest element
/// (PyTorch's own Float results by 3e-7 here). The tolerance of 5e-6 allows other orders of summation.
@Suite("Layers agree with PyTorch, forward and backward")
struct LayerGoldenTests {
  private static let tolerance = 5e-6

  @Test(
    "convolutions agree",
    arguments: [
      ("conv3x3", 3), ("conv4x4s2", 4), ("conv1x1", 1), ("conv3x3odd", 3), ("conv5x5", 5),
    ])
  func convolution(name: String, kernelSize: Int) throws {
    let golden = try Golden("layers")
    let weight = try golden.filters("\(name).weight")
    let (stride, padding) = try window(golden, name)
    let layer = Conv2d(
      name, inChannels: weight.shape[2], outChannels: weight.shape[3], kernelSize: kernelSize,
      stride: stride, padding: padding, bias: golden.has("\(name).bias"))
    try check(golden, name, layer) { layer($0) }
  }

  @Test("transposed convolutions agree", arguments: [("transpose4x4s2", 4), ("transpose3x3s2", 3)])
  func transposedConvolution(name: String, kernelSize: Int) throws {
    let golden = try Golden("layers")
    let weight = try golden.filters("\(name).weight")
    let (stride, padding) = try window(golden, name)
    let layer = ConvTranspose2d(
      name, inChannels: weight.shape[3], outChannels: weight.shape[2], kernelSize: kernelSize,
      stride: stride, padding: padding, bias: golden.has("\(name).bias"))
    try check(golden, name, layer) { layer($0) }
  }

  @Test("residual blocks of both styles agree, and are different functions")
  func residualBlocks() throws {
    let golden = try Golden("layers")
    for (name, style) in [
      ("residual_zalando", ResidualBlock.Style.zalando), ("residual_sonnet", .sonnet),
    ] {
      let block = ResidualBlock(name, channels: 5, hidden: 3, style: style)
      try check(golden, name, block) { block($0) }
    }
    // Both goldens have the same input and weights; they differ in the skip connection and in biases.
    #expect(
      try golden("residual_zalando.output").elements != golden("residual_sonnet.output").elements)
  }

  private func window(_ golden: Golden, _ name: String) throws -> (stride: Int, padding: Int) {
    let words = try #require(golden.metadata(name)).split(separator: " ")
    let numbers = try words.map { try #require(Int($0.split(separator: "=")[1])) }
    return (numbers[0], numbers[1])
  }

  /// Compares the output and all gradients of a layer. The names of its parameters begin with `name`.
  private func check(
    _ golden: Golden, _ name: String, _ layer: some Module, _ apply: (Variable) -> Variable
  ) throws {
    func load(_ parameter: Parameter, _ suffix: String) throws -> Tensor {
      let stored = parameter.name + suffix
      return try parameter.layout == .filters ? golden.filters(stored) : golden(stored)
    }
    let values = ParameterValues(
      try Dictionary(uniqueKeysWithValues: layer.parameters.map { ($0.name, try load($0, "")) }))
    let tape = Tape(values)
    let input = tape.leaf(try golden("\(name).input"))
    let output = apply(input)
    expectClose(output.value, try golden("\(name).output"), tolerance: Self.tolerance, name)

    let gradients = tape.backward(from: output, gradient: try golden("\(name).output_gradient"))
    expectClose(
      try #require(gradients[input]), try golden("\(name).input_gradient"),
      tolerance: Self.tolerance, "\(name), input")
    for parameter in layer.parameters {
      expectClose(
        try #require(gradients.byName[parameter.name]), try load(parameter, "_gradient"),
        tolerance: Self.tolerance, parameter.name)
    }
  }
}
