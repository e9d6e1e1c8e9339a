import Kernels

/// Several tensors of known shapes in one block of memory, one after another.
///
/// Sums over the shards of a batch (gradients, statistics) are computed in such a block, because it can be
/// added as a single array of floats.
package struct TensorArena: Sendable {
  /// The shapes of the tensors, and where each begins.
  package struct Layout: Sendable {
    package let shapes: [Shape]
    fileprivate let offsets: [Int]
    /// Floats of the block, including the zeros between the tensors.
    package let count: Int

    package init(_ shapes: [Shape]) {
      self.shapes = shapes
      var offset = 0
      var offsets: [Int] = []
      for shape in shapes {
        offsets.append(offset)
        // Each tensor begins on a cache line.
        offset += (shape.count + 15) & ~15
      }
      self.offsets = offsets
      count = offset
    }
  }

  package let layout: Layout
  private var block: Tensor

  /// The sums `a[i] + b[i]`. A tensor that only one of the two has is copied; one that neither has is zero.
  package init(_ layout: Layout, adding a: [Tensor?], to b: [Tensor?]) {
    precondition(
      a.count == layout.shapes.count && b.count == layout.shapes.count, "one tensor for each shape")
    self.layout = layout
    block = Tensor([layout.count]) { target in
      for (i, shape) in layout.shapes.enumerated() {
        let place = target + layout.offsets[i]
        let end = i + 1 < layout.shapes.count ? layout.offsets[i + 1] : layout.count
        (place + shape.count).update(
          repeating: 0, count: end - layout.offsets[i] - shape.count)
        let parts = [b[i], a[i]].compactMap(\.self)
        precondition(parts.allSatisfy { $0.shape == shape }, "tensor \(i) has another shape")
        switch parts.count {
        case 2:
          parts[0].withUnsafePointer { x in
            parts[1].withUnsafePointer { kernels.add(x, $0, count: shape.count, into: place) }
          }
        case 1: parts[0].withUnsafePointer { place.update(from: $0, count: shape.count) }
        default: place.update(repeating: 0, count: shape.count)
        }
      }
    }
  }

  package static func += (a: inout TensorArena, b: TensorArena) { a.block += b.block }

  /// Adds `b[i]` to tensor i; nil adds nothing.
  package static func += (a: inout TensorArena, b: [Tensor?]) {
    let layout = a.layout
    a.block.withUnsafeMutablePointer { target in
      for (i, tensor) in b.enumerated() {
        guard let tensor else { continue }
        precondition(tensor.shape == layout.shapes[i], "tensor \(i) has another shape")
        let place = target + layout.offsets[i]
        tensor.withUnsafePointer { kernels.add(place, $0, count: tensor.count, into: place) }
      }
    }
  }

  /// A tensor of the block; no copy.
  package subscript(i: Int) -> Tensor {
    block.slice(from: layout.offsets[i], layout.shapes[i])
  }
}
