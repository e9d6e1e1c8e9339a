import Tensors

/// How the operations of a tape are executed, as opposed to what they compute.
package struct ExecutionContext {
  /// Which kernels compute convolutions.
  package var convolution: ConvolutionMethod
  /// The source of the random numbers of dropout, or nil outside training.
  package var random: DropoutSource?
  /// Called after every operation.
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
  /// An input of the operation.
  package struct Input {
    package let shape: Shape
    /// Whether `backward` has to compute its gradient.
    package let needsGradient: Bool
    /// The name of the parameter, or nil if the input is not a parameter or the tape does not record.
    package let parameter: String?
  }

  package let function: any Function.Type
  /// The function's attributes.
  package let attributes: Any
  /// The inputs by position; nil for one that was not given.
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
