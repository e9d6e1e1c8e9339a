import Tensors

/// A tensor in a computation that a tape may record.
package struct Variable {
  package let value: Tensor
  package let tape: Tape
  /// The place of the gradient on the tape; nil where none is wanted.
  let node: Int?

  package var shape: Shape { value.shape }

  /// Whether `backward` brings a gradient here.
  package var needsGradient: Bool { node != nil }

  /// The same value, cut off from what it was computed from.
  package func detach() -> Variable { Variable(value: value, tape: tape, node: nil) }
}
