import Kernels

extension Tensor {
  /// Nearest-neighbour upsampling by two: `[N, H, W, C]` becomes `[N, 2H, 2W, C]`.
  package func upsampledNearest() -> Tensor {
    precondition(shape.rank == 4, "images are [N, H, W, C], not \(shape)")
    return Tensor([shape[0], 2 * shape[1], 2 * shape[2], shape[3]]) { result in
      withUnsafePointer {
        kernels.upsampleNearest(
          $0, count: shape[0], height: shape[1], width: shape[2], channels: shape[3], into: result)
      }
    }
  }

  /// The gradient of ``upsampledNearest()``: `[N, 2H, 2W, C]` becomes `[N, H, W, C]`.
  package func upsampledNearestBackward() -> Tensor {
    precondition(
      shape.rank == 4 && shape[1] % 2 == 0 && shape[2] % 2 == 0,
      "upsampled images are [N, 2H, 2W, C], not \(shape)")
    let small: Shape = [shape[0], shape[1] / 2, shape[2] / 2, shape[3]]
    return Tensor(small) { result in
      withUnsafePointer {
        kernels.upsampleNearestBackward(
          $0, count: small[0], height: small[1], width: small[2], channels: small[3], into: result)
      }
    }
  }
}
