import Autograd

/// The residual blocks of the DeepMind VQ-VAE: ReLU, 3×3 convolution, ReLU, 1×1 convolution, added to
/// what came in.
///
/// Two public programs share the name and differ, so the differences are spelled out in ``Style``.
package struct ResidualStack: Module {
  package enum Style: Sendable {
    /// zalandoresearch/pytorch-vq-vae: the block's first ReLU works in place, so that the skip
    /// carries relu(x); the convolutions have no biases.
    case zalando
    /// Sonnet: the skip carries x; the convolutions have biases.
    case sonnet

    var hasBias: Bool { self == .sonnet }
    var skipIsRectified: Bool { self == .zalando }
  }

  private let style: Style
  private let blocks: [(conv1: Conv2d, conv2: Conv2d)]

  /// - Parameters:
  ///   - channels: of what comes in and goes out.
  ///   - hidden: channels between the two convolutions of a block.
  package init(
    _ name: String, channels: Int, hidden: Int, layers: Int, style: Style,
    start: WeightStart = .pyTorch
  ) {
    self.style = style
    blocks = (0..<layers).map { i in
      (
        Conv2d(
          "\(name).\(i).conv1", inChannels: channels, outChannels: hidden, kernelSize: 3,
          padding: 1, bias: style.hasBias, start: start),
        Conv2d(
          "\(name).\(i).conv2", inChannels: hidden, outChannels: channels, kernelSize: 1,
          bias: style.hasBias, start: start)
      )
    }
  }

  package var parameters: [Parameter] {
    blocks.flatMap { $0.conv1.parameters + $0.conv2.parameters }
  }

  /// The blocks one after the other, and a last ReLU.
  package func callAsFunction(_ x: Variable) -> Variable {
    var x = x
    for block in blocks {
      let rectified = relu(x)
      let skip = style.skipIsRectified ? rectified : x
      x = skip + block.conv2(relu(block.conv1(rectified)))
    }
    return relu(x)
  }
}
