import Autograd
import KernelTypes
import Tensors

/// Cross-correlates images with learned square filters.
///
/// Maps `[N, H, W, inChannels]` to `[N, H′, W′, outChannels]`, where
/// `H′ = ⌊(H + padding − kernelSize) / stride⌋ + 1` with the padding of both sides, and likewise `W′`.
package struct Conv2d: Module {
  /// The filters, `[kernelSize, kernelSize, inChannels, outChannels]` in memory and
  /// `[outChannels, inChannels, kernelSize, kernelSize]` in a checkpoint.
  package let weight: Parameter
  /// `[outChannels]`.
  package let bias: Parameter?
  package let window: ConvolutionWindow

  package init(
    _ name: String, inChannels: Int, outChannels: Int, kernelSize: Int, stride: Int = 1,
    padding: Int = 0, bias hasBias: Bool = true, initialization: Initialization = .pyTorch
  ) {
    self.init(
      name, inChannels: inChannels, outChannels: outChannels, kernelSize: kernelSize,
      stride: stride, padding: Padding(padding), bias: hasBias, initialization: initialization)
  }

  package init(
    _ name: String, inChannels: Int, outChannels: Int, kernelSize: Int, stride: Int = 1,
    padding: Padding, bias hasBias: Bool = true, initialization: Initialization = .pyTorch
  ) {
    let fanIn = inChannels * kernelSize * kernelSize
    weight = Parameter(
      "\(name).weight", [kernelSize, kernelSize, inChannels, outChannels],
      initializer: initialization.weight(fanIn: fanIn), layout: .filters)
    bias =
      hasBias
      ? Parameter("\(name).bias", [outChannels], initializer: initialization.bias(fanIn: fanIn))
      : nil
    window = ConvolutionWindow(
      kernelHeight: kernelSize, kernelWidth: kernelSize, stride: stride, padding: padding)
  }

  package var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

  /// - Parameters:
  ///   - residual: added to the result, or nil.
  ///   - relu: whether ReLU follows. Both are fused into the kernel.
  package func callAsFunction(
    _ x: Variable, residual: Variable? = nil, relu: Bool = false
  ) -> Variable {
    convolve(
      x, x.tape.read(weight), bias: bias.map(x.tape.read), residual: residual, relu: relu,
      window: window)
  }
}
