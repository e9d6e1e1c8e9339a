import KernelTypes
import Kernels

/// Indices into a codebook, one for each position, with a shape such as `[N, h, w]`.
///
/// A vector without a nearest codeword, such as one that is not finite, has the code ``Codes/invalid``.
package struct Codes: Hashable, Sendable {
  package static let invalid = invalidCode

  package let shape: Shape
  package let indices: [Int32]

  package init(_ shape: Shape, _ indices: [Int32]) {
    precondition(
      indices.count == shape.count, "\(indices.count) codes do not fill the shape \(shape)")
    self.shape = shape
    self.indices = indices
  }

  package var count: Int { indices.count }

  /// The same codes in another shape.
  package func reshaped(_ shape: Shape) -> Codes { Codes(shape, indices) }
}

/// Several codes at a position: a last axis of slots.
extension Codes {
  /// Codes of equal shape `[…]` next to each other: `[…, S]`.
  package init(slots: [Codes]) {
    guard let first = slots.first else { preconditionFailure("there is at least one slot") }
    precondition(slots.allSatisfy { $0.shape == first.shape }, "slots have one shape")
    self.init(
      Shape(first.shape.extents + [slots.count]),
      first.indices.indices.flatMap { position in slots.map { $0.indices[position] } })
  }

  /// One of the slots of `[…, S]`: `[…]`.
  package func slot(_ i: Int) -> Codes {
    let count = shape.width
    precondition((0..<count).contains(i), "\(shape) has no slot \(i)")
    return Codes(
      Shape(Array(shape.extents.dropLast())),
      stride(from: i, to: indices.count, by: count).map { indices[$0] })
  }
}

extension Codes {
  /// How often each of `codewords` codes occurs: `[K]`.
  package func counts(codewords: Int) -> Tensor {
    precondition(
      indices.allSatisfy { $0 >= Codes.invalid && $0 < Int32(codewords) },
      "a code lies outside 0..<\(codewords)")
    return Tensor([codewords]) { target in
      target.update(repeating: 0, count: codewords)
      indices.withUnsafeBufferPointer { indices in
        guard let base = indices.baseAddress else { return }
        kernels.countIndices(base, count: indices.count, into: target)
      }
    }
  }
}
