import Kernels

extension Tensor {
  /// Images as floats −0.5…0.5: `bytes / 255 − 0.5`.
  ///
  /// - Parameters:
  ///   - bytes: `[n, H, W, C]`.
  ///   - shape: `[N, H, W, C]` with N ≥ n; the missing images are zero.
  package init(pixels bytes: [UInt8], padded shape: Shape) {
    precondition(bytes.count <= shape.count, "\(bytes.count) bytes overfill the shape \(shape)")
    self.init(shape) { target in
      bytes.withUnsafeBufferPointer { source in
        if let base = source.baseAddress {
          kernels.pixelsFromBytes(base, count: source.count, into: target)
        }
      }
      (target + bytes.count).update(repeating: 0, count: shape.count - bytes.count)
    }
  }

  /// Images −0.5…0.5 as bytes 0…255, rounded to the nearest and clamped.
  package var pixelBytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      initialized = count
      guard let base = target.baseAddress else { return }
      withUnsafePointer { kernels.bytesFromPixels($0, count: count, into: base) }
    }
  }
}
