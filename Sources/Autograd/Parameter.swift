import Tensors

/// The description of a model's tensor: its name, shape and initial distribution.
///
/// A parameter holds no numbers. They are in ``ParameterValues``, a value that a training step reads and an
/// optimizer replaces, so a model can be shared by threads and a step cannot change it.
package struct Parameter: Sendable {
  /// The dotted name: the key in checkpoints and in the optimizer, also used in error messages.
  package let name: String
  package let shape: Shape
  package let start: Start
  package let layout: Layout
  package let role: Role
  /// Whether only training reads it, as with a moving average; evaluation works without it.
  package let isTrainingState: Bool
  /// Whether no element may be negative, as in an average of counts.
  package let isNonnegative: Bool

  package enum Role: Sendable {
    /// Changed by the optimizer, along the gradient.
    case trained
    /// Saved with the model but without a gradient, such as a moving average.
    case buffer
  }

  /// The order of the elements in memory and in a checkpoint.
  package enum Layout: Sendable {
    /// The same in both.
    case rowMajor
    /// Filters: `[kernelHeight, kernelWidth, C, F]` in memory, where the convolution needs a matrix of `F`
    /// columns, and `[F, C, kernelHeight, kernelWidth]` in a checkpoint. That is PyTorch's layout of `Conv2d`
    /// with F output channels, and of `ConvTranspose2d` with F input channels.
    case filters
  }

  package init(
    _ name: String, _ shape: Shape, start: Start, layout: Layout = .rowMajor,
    role: Role = .trained, isTrainingState: Bool = false, isNonnegative: Bool = false
  ) {
    self.name = name
    self.shape = shape
    self.start = start
    self.layout = layout
    self.role = role
    self.isTrainingState = isTrainingState
    self.isNonnegative = isNonnegative
  }
}

/// The distribution of a parameter's initial value.
package enum Start: Sendable, Equatable {
  case zeros
  case ones
  /// Uniform in −bound…bound.
  case uniform(bound: Float)
  /// Uniform in low…high.
  case between(Float, Float)
  /// A normal distribution with mean 0 and this standard deviation.
  case normal(deviation: Float)
  /// A normal distribution with this standard deviation, truncated at two standard deviations.
  case truncatedNormal(deviation: Float)

  /// PyTorch's default for weights and biases: `kaiming_uniform_` with a = √5, which is uniform in
  /// ±1/√fanIn.
  package static func pyTorch(fanIn: Int) -> Start {
    .uniform(bound: 1 / Float(fanIn).squareRoot())
  }

  /// Sonnet's default for weights: a truncated normal distribution with standard deviation 1/√fanIn.
  package static func sonnet(fanIn: Int) -> Start {
    .truncatedNormal(deviation: 1 / Float(fanIn).squareRoot())
  }

  /// The initial value of a parameter: a function of the seed and the parameter's name.
  package func tensor(_ shape: Shape, seed: UInt64, name: String) -> Tensor {
    var generator = SeededGenerator(seed: seed, purpose: .weights, stream: streamNumber(of: name))
    return Tensor(
      shape,
      (0..<shape.count).map { _ in
        switch self {
        case .zeros: 0
        case .ones: 1
        case .uniform(let bound): generator.uniform(-bound, bound)
        case .between(let low, let high): generator.uniform(low, high)
        case .normal(let deviation): deviation * generator.normal()
        case .truncatedNormal(let deviation): deviation * generator.truncatedNormal()
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
  package init(startOf parameters: [Parameter], seed: UInt64) {
    self.init(
      Dictionary(
        uniqueKeysWithValues: parameters.map {
          ($0.name, $0.start.tensor($0.shape, seed: seed, name: $0.name))
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

  /// Removes and returns a parameter's tensor, so that the caller holds the only reference to it. Put it back
  /// by ``putBack(_:as:)``.
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
