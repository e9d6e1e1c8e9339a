import Tensors

/// How the operations of a tape are executed, besides what they compute.
package struct ExecutionContext {
  /// Which kernels compute convolutions.
  package var convolution: ConvolutionMethod
  /// Where operations that are random in training get their numbers; nil outside training.
  package var random: DropoutSource?
  /// Told of every operation after it is computed.
  package var trace: ((TracedOperation) -> Void)?

  package init(
    convolution: ConvolutionMethod = .auto, random: DropoutSource? = nil,
    trace: ((TracedOperation) -> Void)? = nil
  ) {
    self.convolution = convolution
    self.random = random
    self.trace = trace
  }
}

/// An operation that was computed.
package struct TracedOperation {
  /// An input, in its place; nil stands for one that was not given.
  package struct Input {
    package let shape: Shape
    /// Whether `backward` will be asked for its gradient.
    package let needsGradient: Bool
    /// The parameter that it is; nil if it is none, or if the tape does not record.
    package let parameter: String?
  }

  package let function: any Function.Type
  /// The function's attributes.
  package let attributes: Any
  package let inputs: [Input?]
  package let output: Shape

  init(
    _ function: any Function.Type, _ attributes: Any, _ inputs: [Variable?], output: Shape,
    on tape: Tape
  ) {
    self.function = function
    self.attributes = attributes
    self.inputs = inputs.map { input in
      input.map {
        Input(
          shape: $0.shape, needsGradient: $0.needsGradient, parameter: tape.parameterName(of: $0))
      }
    }
    self.output = output
  }
}
