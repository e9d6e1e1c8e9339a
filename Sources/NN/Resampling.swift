import Autograd
import KernelTypes
import Tensors

extension Conv2d {
  /// A 4×4 convolution of stride 2, which halves height and width. Both have to be even.
  package static func downsample4x4(
    _ name: String, inChannels: Int, outChannels: Int, initialization: Initialization = .pyTorch
  ) -> Conv2d {
    Conv2d(
      name, inChannels: inChannels, outChannels: outChannels, kernelSize: 4, stride: 2, padding: 1,
      initialization: initialization)
  }
}

extension ConvTranspose2d {
  /// A transposed 4×4 convolution of stride 2, which doubles height and width.
  package static func upsample4x4(
    _ name: String, inChannels: Int, outChannels: Int, initialization: Initialization = .pyTorch
  ) -> ConvTranspose2d {
    ConvTranspose2d(
      name, inChannels: inChannels, outChannels: outChannels, kernelSize: 4, stride: 2, padding: 1,
      initialization: initialization)
  }
}

/// Halves height and width by a 3×3 convolution of stride 2. Both have to be even.
package struct Downsampling: Module {
  package enum Kind: String, CaseIterable, Sendable {
    /// Zeros on all four sides.
    case padded
    /// Zeros at the bottom and at the right: `F.pad(x, (0, 1, 0, 1))` before a convolution without padding.
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
    /// Repeats every pixel in a 2×2 square; no parameters.
    case nearest
    /// The same, followed by a 3×3 convolution.
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
          .upsample4x4("\(name).conv", inChannels: channels, outChannels: channels))
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
