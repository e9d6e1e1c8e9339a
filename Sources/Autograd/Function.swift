import Tensors

/// A differentiable operation: `forward` computes, `backward` applies the chain rule.
///
/// A function is called through ``apply(_:_:)``, which runs `forward` and records `backward` on the tape.
package protocol Function {
  /// Sizes and switches: what an operation depends on besides its tensors.
  associatedtype Attributes = Void
  /// What `forward` saves for `backward`.
  associatedtype Saved = Void
  /// An output that carries no gradient, such as codes.
  associatedtype NonDifferentiable = Void

  /// Computes the output.
  static func forward(
    _ inputs: Inputs<Tensor>, _ attributes: Attributes, _ context: inout Context<Self>
  ) -> Tensor

  /// Computes the gradient of each input from that of the output; nil for an input that does not need one.
  ///
  /// - Parameter gradient: ∂loss/∂output. It may be changed in place and returned.
  static func backward(
    _ gradient: consuming Tensor, _ attributes: Attributes, _ context: Context<Self>
  ) -> [Tensor?]
}

/// The inputs of an operation by position; some may be missing.
package struct Inputs<Value> {
  fileprivate let values: [Value?]

  package var count: Int { values.count }

  /// An input that the operation always has.
  package subscript(i: Int) -> Value {
    guard let value = values[i] else { preconditionFailure("input \(i) is missing") }
    return value
  }

  /// An input that may be missing, such as a bias.
  package func optional(_ i: Int) -> Value? { i < values.count ? values[i] : nil }

  /// The inputs that are given, in order.
  package var given: [Value] { values.compactMap(\.self) }
}

/// What a function's `forward` passes to its `backward` and to its caller.
package struct Context<F: Function> {
  /// For each input, whether its gradient is needed.
  package let needsGradient: [Bool]
  private var savedValue: F.Saved?
  fileprivate private(set) var nonDifferentiable: F.NonDifferentiable?

  fileprivate init(needsGradient: [Bool]) { self.needsGradient = needsGradient }

  /// Keeps a value for `backward`.
  package mutating func save(_ value: F.Saved) { savedValue = value }

  /// What `forward` saved.
  package var saved: F.Saved {
    guard let savedValue else {
      preconditionFailure("\(F.self).backward reads what its forward did not save")
    }
    return savedValue
  }

  /// Returns an output without a gradient to the caller.
  package mutating func returnNonDifferentiable(_ value: F.NonDifferentiable) {
    nonDifferentiable = value
  }
}

extension Function {
  /// Runs the operation, and records it if an input needs a gradient.
  package static func apply(
    _ inputs: [Variable?], _ attributes: Attributes
  ) -> (output: Variable, nonDifferentiable: NonDifferentiable?) {
    guard let tape = inputs.lazy.compactMap({ $0?.tape }).first else {
      preconditionFailure("\(Self.self) needs an input")
    }
    precondition(inputs.allSatisfy { $0 == nil || $0?.tape === tape }, "inputs from two tapes")
    var context = Context<Self>(needsGradient: inputs.map { $0?.needsGradient ?? false })
    let value = forward(Inputs(values: inputs.map { $0?.value }), attributes, &context)
    if let trace = tape.context.trace {
      trace(TracedOperation(Self.self, attributes, inputs, output: value.shape, on: tape))
    }
    let nonDifferentiable = context.nonDifferentiable
    guard context.needsGradient.contains(true) else {
      return (Variable(value: value, tape: tape, node: nil), nonDifferentiable)
    }
    let node = tape.record(inputs: inputs.map { $0?.node }) {
      [context] gradient in
      // The only reference is passed on, so that a function can change the gradient in place.
      backward(consume gradient, attributes, context)
    }
    return (Variable(value: value, tape: tape, node: node), nonDifferentiable)
  }
}

extension Function where Attributes == Void {
  package static func apply(
    _ inputs: [Variable?]
  ) -> (output: Variable, nonDifferentiable: NonDifferentiable?) {
    apply(inputs, ())
  }
}
