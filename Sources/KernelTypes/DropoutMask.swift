/// Dropout (Srivastava et al. 2014): every element is set to zero with the given probability, and
/// the others are multiplied by `1 / (1 − probability)`.
///
/// Whether an element is dropped is a function of the key, the stream and the element's place alone, so the
/// backward pass computes the mask of its forward pass again instead of keeping it. The random words are
/// Philox's, as in `SeededGenerator`; the masks of a stream repeat after 2³⁴ elements.
package struct DropoutMask: Sendable {
  package let key: SIMD2<UInt32>
  /// The upper three words of the counter.
  package let stream: (UInt32, UInt32, UInt32)
  /// A random word below this drops the element.
  package let limit: UInt32
  package let scale: Float

  /// - Parameters:
  ///   - probability: at least 0 and below 1.
  ///   - seed, purpose, stream: which random numbers to use; see `SeededGenerator`.
  package init(probability: Double, seed: UInt64, purpose: UInt32, stream: UInt64) {
    key = SIMD2(truncatingIfNeeded: SIMD2(seed, seed >> 32))
    self.stream = (
      purpose, UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)
    )
    limit = UInt32(probability * 0x1p32)
    scale = Float(1 / (1 - probability))
  }
}
