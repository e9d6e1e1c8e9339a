import Kernels

extension Tensor {
  /// The element-wise sum of two tensors of one shape.
  package static func + (a: Tensor, b: Tensor) -> Tensor {
    combine(a, b) { kernels.add($0, $1, count: $2, into: $3) }
  }

  /// The element-wise difference of two tensors of one shape.
  package static func - (a: Tensor, b: Tensor) -> Tensor {
    combine(a, b) { kernels.subtract($0, $1, count: $2, into: $3) }
  }

  /// Adds in place.
  package static func += (a: inout Tensor, b: Tensor) {
    requireSameShape(a, b)
    let count = a.count
    a.withUnsafeMutablePointer { target in
      b.withUnsafePointer { kernels.add(target, $0, count: count, into: target) }
    }
  }

  package static func * (factor: Float, a: Tensor) -> Tensor {
    Tensor(a.shape) { target in
      a.withUnsafePointer { kernels.scale($0, by: factor, count: a.count, into: target) }
    }
  }

  /// `max(x, 0)` of every element.
  package func relu() -> Tensor {
    Tensor(shape) { target in
      withUnsafePointer { kernels.relu($0, count: count, into: target) }
    }
  }

  /// ReLU's gradient, in place: sets elements to zero where ReLU's `output` is not positive.
  package mutating func zero(whereNotPositive output: Tensor) {
    Tensor.requireSameShape(self, output)
    let count = count
    withUnsafeMutablePointer { gradient in
      output.withUnsafePointer { kernels.reluBackward(gradient, output: $0, count: count) }
    }
  }

  /// The hyperbolic tangent of every element.
  package func tanh() -> Tensor {
    Tensor(shape) { target in
      withUnsafePointer { kernels.tanh($0, count: count, into: target) }
    }
  }

  /// The hyperbolic tangent's gradient, in place: multiplies by `1 − output²`, with `output` the tangent.
  package mutating func multiply(byOneMinusSquareOf output: Tensor) {
    Tensor.requireSameShape(self, output)
    let count = count
    withUnsafeMutablePointer { gradient in
      output.withUnsafePointer { kernels.tanhBackward(gradient, output: $0, count: count) }
    }
  }

  /// Every element rounded to the nearest integer, halves to even.
  package func rounded() -> Tensor {
    Tensor(shape) { target in
      withUnsafePointer { kernels.round($0, count: count, into: target) }
    }
  }

  /// Every element clamped to `low…high`.
  package func clamped(_ low: Float, _ high: Float) -> Tensor {
    Tensor(shape) { target in
      withUnsafePointer { kernels.clamp($0, low: low, high: high, count: count, into: target) }
    }
  }

  static func requireSameShape(_ a: Tensor, _ b: Tensor) {
    precondition(a.shape == b.shape, "shapes differ: \(a.shape) and \(b.shape)")
  }

  private static func combine(
    _ a: Tensor, _ b: Tensor,
    _ kernel: (UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    requireSameShape(a, b)
    return Tensor(a.shape) { target in
      a.withUnsafePointer { first in
        b.withUnsafePointer { kernel(first, $0, b.count, target) }
      }
    }
  }
}
