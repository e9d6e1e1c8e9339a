import Autograd
import KernelTypes
import Tensors

extension Conv2d {
  /// A 4×4 convolution that halves height and width, which have to be even.
  package static func halving(
    _ name: String, inChannels: Int, outChannels: Int, start: WeightStart = .pyTorch
  ) -> Conv2d {
    Conv2d(
      name, inChannels: inChannels, outChannels: outChannels, kernelSize: 4, stride: 2, padding: 1,
      start: start)
  }
}

extension ConvTranspose2d {
  /// A transposed 4×4 convolution that doubles height and width.
  package static func doubling(
    _ name: String, inChannels: Int, outChannels: Int, start: WeightStart = .pyTorch
  ) -> ConvTranspose2d {
    ConvTranspose2d(
      name, inChannels: inChannels, outChannels: outChannels, kernelSize: 4, stride: 2, padding: 1,
      start: start)
  }
}

/// Halves height and width, which have to be even, by a 3×3 convolution of stride 2.
package struct Downsampling: Module {
  package enum Kind: String, CaseIterable, Sendable {
    /// Zeros on all four sides.
    case padded
    /// Zeros below and to the right: `F.pad(x, (0, 1, 0, 1))` before a convolution without padding.
    case asymmetric

    fileprivate var padding: Padding {
      switch self {
      case .padded: Padding(1)
      case .asymmetric: Padding(top: 0, left: 0, bottom: 1, right: 1)
      }
    }
  }

  private let conv: Conv2d

  package init(_ name: String, channels: Int, kind: Kind) {
    conv = Conv2d(
      "\(name).conv", inChannels: channels, outChannels: channels, kernelSize: 3, stride: 2,
      padding: kind.padding)
  }

  package var parameters: [Parameter] { conv.parameters }

  package func callAsFunction(_ x: Variable) -> Variable { conv(x) }
}

/// Doubles height and width.
package enum Upsampling: Module {
  package enum Kind: String, CaseIterable, Sendable {
    /// Every pixel four times, and no parameters.
    case nearest
    /// The same, and a 3×3 convolution behind it.
    case nearestConvolution = "nearest_conv"
    /// A transposed 4×4 convolution of stride 2.
    case transposed
  }

  case nearest
  case nearestConvolution(Conv2d)
  case transposed(ConvTranspose2d)

  package init(_ name: String, channels: Int, kind: Kind) {
    self =
      switch kind {
      case .nearest: .nearest
      case .nearestConvolution:
        .nearestConvolution(
          Conv2d(
            "\(name).conv", inChannels: channels, outChannels: channels, kernelSize: 3, padding: 1))
      case .transposed:
        .transposed(
          .doubling("\(name).conv", inChannels: channels, outChannels: channels))
      }
  }

  package var parameters: [Parameter] {
    switch self {
    case .nearest: []
    case .nearestConvolution(let conv): conv.parameters
    case .transposed(let conv): conv.parameters
    }
  }

  package func callAsFunction(_ x: Variable) -> Variable {
    switch self {
    case .nearest: upsampleNearest(x)
    case .nearestConvolution(let conv): conv(upsampleNearest(x))
    case .transposed(let conv): conv(x)
    }
  }
}
