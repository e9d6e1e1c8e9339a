import Autograd

/// A part of a model that owns parameters.
package protocol Module: Sendable {
  /// All parameters, including those of submodules, in a fixed order.
  ///
  /// The list is explicit; a test compares it with the stored properties found by reflection.
  var parameters: [Parameter] { get }
}

/// The initial distributions of a model's weights and biases.
package enum Initialization: Sendable {
  /// PyTorch's defaults: both uniform in ±1/√fanIn.
  case pyTorch
  /// Sonnet's defaults: a truncated normal of standard deviation 1/√fanIn, and zero biases.
  case sonnet

  func weight(fanIn: Int) -> Initializer {
    switch self {
    case .pyTorch: .pyTorch(fanIn: fanIn)
    case .sonnet: .sonnet(fanIn: fanIn)
    }
  }

  func bias(fanIn: Int) -> Initializer {
    switch self {
    case .pyTorch: .pyTorch(fanIn: fanIn)
    case .sonnet: .zeros
    }
  }
}
