import Autograd

/// A residual block of the DeepMind VQ-VAE: ReLU, 3×3 convolution, ReLU, 1×1 convolution, added to what
/// came in. Maps `[N, H, W, channels]` to the same shape.
///
/// Two public programs share the name and differ, so the differences are spelled out in ``Style``.
package struct ResidualBlock: Module {
  package enum Style: Sendable {
    /// zalandoresearch/pytorch-vq-vae: the block's first ReLU works in place, so that the skip
    /// carries relu(x); the convolutions have no biases.
    case zalando
    /// Sonnet: the skip carries x; the convolutions have biases.
    case sonnet

    var hasBias: Bool { self == .sonnet }
    var skipHasReLU: Bool { self == .zalando }
  }

  private let style: Style
  private let conv1: Conv2d
  private let conv2: Conv2d

  /// - Parameters:
  ///   - channels: of what comes in and goes out.
  ///   - hidden: channels between the two convolutions.
  package init(
    _ name: String, channels: Int, hidden: Int, style: Style, start: WeightStart = .pyTorch
  ) {
    self.style = style
    conv1 = Conv2d(
      "\(name).conv1", inChannels: channels, outChannels: hidden, kernelSize: 3, padding: 1,
      bias: style.hasBias, start: start)
    conv2 = Conv2d(
      "\(name).conv2", inChannels: hidden, outChannels: channels, kernelSize: 1,
      bias: style.hasBias, start: start)
  }

  package var parameters: [Parameter] { conv1.parameters + conv2.parameters }

  package func callAsFunction(_ x: Variable) -> Variable {
    let rectified = relu(x)
    return conv2(
      conv1(rectified, relu: true), residual: style.skipHasReLU ? rectified : x)
  }

  /// ReLU of the block's result, from ReLU of what comes in: a block whose skip is rectified needs no
  /// more, and ReLU costs nothing inside the convolution.
  func rectified(_ rectified: Variable) -> Variable {
    precondition(style.skipHasReLU, "the skip needs what comes in as it is")
    return conv2(conv1(rectified, relu: true), residual: rectified, relu: true)
  }
}
