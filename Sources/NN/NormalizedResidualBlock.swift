import Autograd
import Tensors

/// A residual block with normalization, as in the autoencoders of latent diffusion:
///
///     h = conv1(SiLU(norm1(x)))
///     h = conv2(dropout(SiLU(norm2(h))))
///     y = h + x, or h + conv_shortcut(x) if the number of channels changes
///
/// Maps `[N, H, W, inChannels]` to `[N, H, W, outChannels]`; both convolutions are 3×3, the shortcut 1×1.
package struct NormalizedResidualBlock: Module {
  /// Options that all blocks of a model share.
  package struct Options: Sendable, Equatable {
    /// Groups of channels in every normalization.
    package var groups = 32
    package var epsilon = 1e-6
    /// The probability that an element is dropped in training.
    package var dropout = 0.0

    package init() {}
  }

  private let name: String
  private let norm1: GroupNorm
  private let conv1: Conv2d
  private let norm2: GroupNorm
  private let dropout: Double
  private let conv2: Conv2d
  private let shortcut: Conv2d?

  package init(_ name: String, inChannels: Int, outChannels: Int, options: Options) {
    func norm(_ part: String, channels: Int) -> GroupNorm {
      GroupNorm(
        "\(name).\(part)", channels: channels, groups: options.groups, epsilon: options.epsilon)
    }
    self.name = name
    norm1 = norm("norm1", channels: inChannels)
    conv1 = Conv2d(
      "\(name).conv1", inChannels: inChannels, outChannels: outChannels, kernelSize: 3, padding: 1)
    norm2 = norm("norm2", channels: outChannels)
    dropout = options.dropout
    conv2 = Conv2d(
      "\(name).conv2", inChannels: outChannels, outChannels: outChannels, kernelSize: 3, padding: 1)
    shortcut =
      inChannels == outChannels
      ? nil
      : Conv2d(
        "\(name).conv_shortcut", inChannels: inChannels, outChannels: outChannels, kernelSize: 1)
  }

  package var parameters: [Parameter] {
    norm1.parameters + conv1.parameters + norm2.parameters + conv2.parameters
      + (shortcut?.parameters ?? [])
  }

  package func callAsFunction(_ x: Variable) -> Variable {
    let h = conv1(norm1(x, silu: true))
    let dropped = Autograd.dropout(
      norm2(h, silu: true), probability: dropout, name: "\(name).dropout")
    return conv2(dropped, residual: shortcut?(x) ?? x)
  }
}
