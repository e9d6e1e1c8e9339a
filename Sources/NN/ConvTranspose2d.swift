import Autograd
import Tensors

/// A learned transposed convolution: the input gradient of a ``Conv2d``, used as a layer.
///
/// Maps `[N, H, W, inChannels]` to `[N, H′, W′, outChannels]`, where
/// `H′ = (H − 1)·stride − 2·padding + kernelSize` and likewise `W′`.
package struct ConvTranspose2d: Module {
  /// The filters, `[kernelSize, kernelSize, outChannels, inChannels]` in memory and
  /// `[inChannels, outChannels, kernelSize, kernelSize]` in a checkpoint.
  package let weight: Parameter
  /// `[outChannels]`.
  package let bias: Parameter?
  package let window: ConvolutionWindow

  package init(
    _ name: String, inChannels: Int, outChannels: Int, kernelSize: Int, stride: Int,
    padding: Int = 0, bias hasBias: Bool = true, initialization: Initialization = .pyTorch
  ) {
    // PyTorch computes the fan-in from the second extent of the weight, which is outChannels here; Sonnet
    // uses the input channels.
    let channels = initialization == .pyTorch ? outChannels : inChannels
    let fanIn = channels * kernelSize * kernelSize
    weight = Parameter(
      "\(name).weight", [kernelSize, kernelSize, outChannels, inChannels],
      initializer: initialization.weight(fanIn: fanIn), layout: .filters)
    bias =
      hasBias
      ? Parameter("\(name).bias", [outChannels], initializer: initialization.bias(fanIn: fanIn))
      : nil
    window = ConvolutionWindow(kernelSize: kernelSize, stride: stride, padding: padding)
  }

  package var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

  /// - Parameter relu: whether ReLU follows, fused into the kernel.
  package func callAsFunction(_ x: Variable, relu: Bool = false) -> Variable {
    convolveTransposed(
      x, x.tape.read(weight), bias: bias.map(x.tape.read), relu: relu, window: window)
  }
}
