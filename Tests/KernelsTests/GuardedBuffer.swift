import Testing

/// Runs a kernel on memory of exactly `count` floats, and checks that it wrote nothing outside.
///
/// The kernels are unchecked, so an overrun would go unnoticed without the guard zones on both sides.
///
/// - Parameter initial: the initial contents of the memory; by default NaN.
func guarded(
  _ count: Int, initial: [Float]? = nil, sourceLocation: SourceLocation = #_sourceLocation,
  _ kernel: (UnsafeMutablePointer<Float>) -> Void
) -> [Float] {
  let sentinel: Float = 12_345.5
  let margin = 32
  var memory = initial ?? [Float](repeating: .nan, count: count)
  #expect(memory.count == count, sourceLocation: sourceLocation)
  memory.insert(contentsOf: repeatElement(sentinel, count: margin), at: 0)
  memory += repeatElement(sentinel, count: margin)
  memory.withUnsafeMutableBufferPointer { kernel($0.baseAddress! + margin) }
  let isIntact =
    memory.prefix(margin).allSatisfy { $0 == sentinel }
    && memory.suffix(margin).allSatisfy { $0 == sentinel }
  #expect(isIntact, "a kernel wrote beyond its buffer", sourceLocation: sourceLocation)
  return Array(memory.dropFirst(margin).dropLast(margin))
}

/// Lengths around the width of a vector register: none, below, at, above, and long.
let oddLengths = [0, 1, 15, 16, 17, 31, 33, 1000]

/// The bits of floats, which are equal for the same NaN, and differ for 0 and −0.
func bits(_ floats: some Sequence<Float>) -> [UInt32] { floats.map(\.bitPattern) }
