import Tensors

/// A tensor in a computation that a tape may record.
package struct Variable {
  package let value: Tensor
  package let tape: Tape
  /// The index of the gradient on the tape, or nil if no gradient is needed.
  let node: Int?

  package var shape: Shape { value.shape }

  /// Whether `backward` computes its gradient.
  package var needsGradient: Bool { node != nil }

  /// The same value as a constant: no gradient flows through it.
  package func detach() -> Variable { Variable(value: value, tape: tape, node: nil) }
}
