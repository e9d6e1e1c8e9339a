import Autograd

/// A residual block of the DeepMind VQ-VAE: ReLU, 3×3 convolution, ReLU, 1×1 convolution, added to the
/// input. Maps `[N, H, W, channels]` to the same shape.
///
/// Two public implementations differ in it; see ``Style``.
package struct ResidualBlock: Module {
  package enum Style: Sendable {
    /// zalandoresearch/pytorch-vq-vae: the block's first ReLU works in place, so the skip
    /// connection carries relu(x); the convolutions have no biases.
    case zalando
    /// Sonnet: the skip connection carries x; the convolutions have biases.
    case sonnet

    var hasBias: Bool { self == .sonnet }
    var skipHasReLU: Bool { self == .zalando }
  }

  private let style: Style
  private let conv1: Conv2d
  private let conv2: Conv2d

  /// - Parameters:
  ///   - channels: of the input and the output.
  ///   - hidden: channels between the two convolutions.
  package init(
    _ name: String, channels: Int, hidden: Int, style: Style,
    initialization: Initialization = .pyTorch
  ) {
    self.style = style
    conv1 = Conv2d(
      "\(name).conv1", inChannels: channels, outChannels: hidden, kernelSize: 3, padding: 1,
      bias: style.hasBias, initialization: initialization)
    conv2 = Conv2d(
      "\(name).conv2", inChannels: hidden, outChannels: channels, kernelSize: 1,
      bias: style.hasBias, initialization: initialization)
  }

  package var parameters: [Parameter] { conv1.parameters + conv2.parameters }

  package func callAsFunction(_ x: Variable) -> Variable {
    let activated = relu(x)
    return conv2(
      conv1(activated, relu: true), residual: style.skipHasReLU ? activated : x)
  }

  /// Computes `relu(block(x))` from `relu(x)`, which is all that a block with ReLU on its skip connection
  /// needs. The last ReLU is fused into the convolution.
  func activated(_ activatedInput: Variable) -> Variable {
    precondition(style.skipHasReLU, "this block's skip connection needs the input before ReLU")
    return conv2(conv1(activatedInput, relu: true), residual: activatedInput, relu: true)
  }
}
