import Kernels
import Runtime

/// Floats with a shape, row-major and contiguous. A value: copies share memory until one is changed.
package struct Tensor: Sendable {
  package private(set) var shape: Shape
  private var storage: TensorStorage
  /// The cache of the packed forms of these elements, or nil if they are not kept.
  private(set) var packedForms: PackedForms?

  /// A tensor whose elements are written by `initialize`, which must write every one.
  package init(_ shape: Shape, initialize: (UnsafeMutablePointer<Float>) throws -> Void) rethrows {
    self.shape = shape
    storage = TensorStorage(count: shape.count)
    try initialize(storage.base)
  }

  package init(_ shape: Shape, repeating value: Float) {
    self.init(shape) { $0.update(repeating: value, count: shape.count) }
  }

  package init(zeros shape: Shape) { self.init(shape, repeating: 0) }

  /// A tensor of the given elements in row-major order.
  package init(_ shape: Shape, _ elements: [Float]) {
    precondition(
      elements.count == shape.count, "\(elements.count) elements do not fill the shape \(shape)")
    self.init(shape) { target in
      elements.withUnsafeBufferPointer { source in
        if let base = source.baseAddress { target.update(from: base, count: source.count) }
      }
    }
  }

  /// A tensor without dimensions.
  package init(scalar value: Float) { self.init([], repeating: value) }

  package var count: Int { shape.count }

  /// The elements in row-major order, copied.
  package var elements: [Float] {
    withUnsafePointer { Array(UnsafeBufferPointer(start: $0, count: count)) }
  }

  /// The element of a tensor that has exactly one.
  package var scalar: Float {
    precondition(count == 1, "a tensor of shape \(shape) is not a scalar")
    return withUnsafePointer { $0[0] }
  }

  /// The same elements in another shape; no copy.
  package func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "\(self.shape) cannot be seen as \(shape)")
    var result = self
    result.shape = shape
    return result
  }

  /// The same elements, with a cache for their packed forms, which is dropped when the elements change. Worth
  /// it for filters, which many shards use.
  package func keepingPackedForms() -> Tensor {
    var result = self
    if result.packedForms == nil { result.packedForms = PackedForms() }
    return result
  }

  /// The elements from `offset` on, as a tensor of the given shape. Nothing is copied until one of the two
  /// tensors is changed.
  func slice(from offset: Int, _ shape: Shape) -> Tensor {
    precondition(
      offset >= 0 && offset + shape.count <= count,
      "\(shape) at \(offset) is not within \(self.shape)")
    return Tensor(shape, storage: TensorStorage(part: storage, from: offset, count: shape.count))
  }

  private init(_ shape: Shape, storage: TensorStorage) {
    self.shape = shape
    self.storage = storage
  }

  /// Reads the elements; the pointer is valid only inside `body`.
  package func withUnsafePointer<Result>(
    _ body: (UnsafePointer<Float>) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(storage) { try body(UnsafePointer($0.base)) }
  }

  /// Changes the elements in place; copies them first if another tensor shares them.
  package mutating func withUnsafeMutablePointer<Result>(
    _ body: (UnsafeMutablePointer<Float>) throws -> Result
  ) rethrows -> Result {
    if storage.isPart || !isKnownUniquelyReferenced(&storage) { storage = storage.copy() }
    if packedForms != nil { packedForms = PackedForms() }
    return try withExtendedLifetime(storage) { try body($0.base) }
  }
}

/// A block of the buffer pool for as long as a tensor needs it.
///
/// `@unchecked Sendable`: a tensor writes only to storage that it alone refers to, so what several
/// threads can see is never written.
private final class TensorStorage: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  /// The storage whose memory it is a part of, or nil if it owns its block.
  private let whole: TensorStorage?
  var isPart: Bool { whole != nil }

  init(count: Int) {
    self.count = count
    base = BufferPool.take(count)
    whole = nil
  }

  init(part whole: TensorStorage, from offset: Int, count: Int) {
    self.count = count
    base = whole.base + offset
    self.whole = whole
  }

  deinit { if !isPart { BufferPool.giveBack(base, count: count) } }

  func copy() -> TensorStorage {
    let copy = TensorStorage(count: count)
    copy.base.update(from: base, count: count)
    return copy
  }
}

/// Lends scratch memory to a kernel.
func withWorkspace<Result>(
  _ count: Int, _ body: (UnsafeMutablePointer<Float>) throws -> Result
) rethrows -> Result {
  let block = BufferPool.take(count)
  defer { BufferPool.giveBack(block, count: count) }
  return try body(block)
}

/// Reads the elements of three tensors; the pointers are valid only inside `body`.
func withPointers<Result>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor,
  _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>) -> Result
) -> Result {
  a.withUnsafePointer { a in
    b.withUnsafePointer { b in c.withUnsafePointer { body(a, b, $0) } }
  }
}

/// Reads the elements of two tensors.
func withPointers<Result>(
  _ a: Tensor, _ b: Tensor, _ body: (UnsafePointer<Float>, UnsafePointer<Float>) -> Result
) -> Result {
  a.withUnsafePointer { a in b.withUnsafePointer { body(a, $0) } }
}

/// Reads the elements of two tensors and of an optional one.
func withPointers<Result>(
  _ a: Tensor, _ b: Tensor, optional c: Tensor?,
  _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>?) -> Result
) -> Result {
  a.withUnsafePointer { a in b.withUnsafePointer { b in withPointer(c) { body(a, b, $0) } } }
}

/// Reads the elements of an optional tensor.
func withPointer<Result>(_ a: Tensor?, _ body: (UnsafePointer<Float>?) -> Result) -> Result {
  if let a { a.withUnsafePointer { body($0) } } else { body(nil) }
}
