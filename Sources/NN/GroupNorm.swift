import Autograd
import Tensors

/// Learned group normalization, optionally followed by SiLU.
///
/// Maps `[N, H, W, channels]` to the same shape. Weights are initialized to one and biases to zero.
package struct GroupNorm: Module {
  /// `[channels]`.
  package let weight: Parameter
  /// `[channels]`.
  package let bias: Parameter
  private let groups: Int
  private let epsilon: Double

  /// - Parameter groups: a divisor of `channels`.
  package init(_ name: String, channels: Int, groups: Int, epsilon: Double) {
    precondition(
      groups > 0 && channels.isMultiple(of: groups),
      "\(channels) channels cannot be divided into \(groups) groups")
    weight = Parameter("\(name).weight", [channels], initializer: .ones)
    bias = Parameter("\(name).bias", [channels], initializer: .zeros)
    self.groups = groups
    self.epsilon = epsilon
  }

  package var parameters: [Parameter] { [weight, bias] }

  /// - Parameter silu: whether SiLU follows.
  package func callAsFunction(_ x: Variable, silu: Bool = false) -> Variable {
    groupNormalize(
      x, weight: x.tape.read(weight), bias: x.tape.read(bias), groups: groups, epsilon: epsilon,
      silu: silu)
  }
}
