import Tensors

/// A named tensor of a model: its name, its shape, its initial distribution.
///
/// A parameter holds no numbers. They are in ``ParameterValues``, which a training step reads and an optimizer
/// replaces, so threads can share a model and a step cannot change it.
package struct Parameter: Sendable {
  /// The dotted name, the key in checkpoints.
  package let name: String
  package let shape: Shape
  package let initializer: Initializer
  package let layout: Layout
  package let role: Role
  /// Whether only training reads it, such as moving averages. Evaluation works without it.
  package let isTrainingState: Bool
  /// Whether no element may be negative, such as an average of counts.
  package let isNonnegative: Bool

  package enum Role: Sendable {
    /// Changed by the optimizer, along the gradient.
    case trained
    /// Saved with the model but without a gradient, such as a moving average.
    case buffer
  }

  /// The order of the elements in memory and in a checkpoint.
  package enum Layout: Sendable {
    /// Row-major in both.
    case rowMajor
    /// Filters: `[kernelHeight, kernelWidth, C, F]` in memory, where the convolution needs a matrix of `F`
    /// columns, and `[F, C, kernelHeight, kernelWidth]` in a checkpoint. That is PyTorch's layout of `Conv2d`
    /// with F output channels, and of `ConvTranspose2d` with F input channels.
    case filters
  }

  package init(
    _ name: String, _ shape: Shape, initializer: Initializer, layout: Layout = .rowMajor,
    role: Role = .trained, isTrainingState: Bool = false, isNonnegative: Bool = false
  ) {
    self.name = name
    self.shape = shape
    self.initializer = initializer
    self.layout = layout
    self.role = role
    self.isTrainingState = isTrainingState
    self.isNonnegative = isNonnegative
  }
}

extension RandomPurpose {
  package static let weights = RandomPurpose(1)
}

/// The distribution of a parameter's initial values.
package enum Initializer: Sendable, Equatable {
  case zeros
  case ones
  /// Uniform in −bound…bound.
  case uniform(bound: Float)
  /// Uniform in low…high.
  case between(Float, Float)
  case normal(standardDeviation: Float)
  /// A normal distribution cut off at two standard deviations.
  case truncatedNormal(standardDeviation: Float)
  /// Rows of length 1, orthogonal in groups as large as a row is wide.
  case orthogonalRows

  /// PyTorch's default for weights and biases: `kaiming_uniform_` with a = √5, which is uniform in
  /// ±1/√fanIn.
  package static func pyTorch(fanIn: Int) -> Initializer {
    .uniform(bound: 1 / Float(fanIn).squareRoot())
  }

  /// Sonnet's default for weights: a truncated normal of standard deviation 1/√fanIn.
  package static func sonnet(fanIn: Int) -> Initializer {
    .truncatedNormal(standardDeviation: 1 / Float(fanIn).squareRoot())
  }

  /// The initial tensor of a parameter, a function of the seed and the parameter's name.
  package func tensor(_ shape: Shape, seed: UInt64, name: String) -> Tensor {
    var generator = SeededGenerator(seed: seed, purpose: .weights, stream: streamNumber(of: name))
    if self == .orthogonalRows { return Tensor(orthogonalRows: shape, generator: &generator) }
    return Tensor(
      shape,
      (0..<shape.count).map { _ in
        switch self {
        case .zeros, .orthogonalRows: 0
        case .ones: 1
        case .uniform(let bound): generator.uniform(-bound, bound)
        case .between(let low, let high): generator.uniform(low, high)
        case .normal(let standardDeviation): standardDeviation * generator.normal()
        case .truncatedNormal(let standardDeviation):
          standardDeviation * generator.truncatedNormal()
        }
      })
  }
}

/// The numbers of a model's parameters, by name.
package struct ParameterValues: Sendable {
  private var tensors: [String: Tensor]

  package init(_ tensors: [String: Tensor]) {
    self.tensors = tensors.mapValues { $0.keepingPackedForms() }
  }

  /// The initial values of all parameters.
  package init(initial parameters: [Parameter], seed: UInt64) {
    self.init(
      Dictionary(
        uniqueKeysWithValues: parameters.map {
          ($0.name, $0.initializer.tensor($0.shape, seed: seed, name: $0.name))
        }))
  }

  package subscript(parameter: Parameter) -> Tensor {
    get {
      guard let tensor = tensors[parameter.name] else {
        preconditionFailure("there is no value for the parameter \(parameter.name)")
      }
      return tensor
    }
    _modify {
      precondition(
        tensors[parameter.name] != nil, "there is no value for the parameter \(parameter.name)")
      yield &tensors[parameter.name]!
    }
  }

  /// Removes a parameter's tensor and returns it, so that the caller is its only owner and changes it in
  /// place. ``putBack(_:as:)`` returns it.
  package mutating func take(_ parameter: Parameter) -> Tensor {
    guard let tensor = tensors.removeValue(forKey: parameter.name) else {
      preconditionFailure("there is no value for the parameter \(parameter.name)")
    }
    return tensor
  }

  package mutating func putBack(_ tensor: Tensor, as parameter: Parameter) {
    tensors[parameter.name] = tensor
  }
}
