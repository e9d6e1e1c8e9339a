import Tensors

/// Convolution by definition, as seven nested loops in double precision.
package enum NaiveConvolution {
  /// - Parameters:
  ///   - images: `[N, H, W, C]`.
  ///   - filters: `[kernelHeight, kernelWidth, C, F]`.
  /// - Returns: `[N, H′, W′, F]`.
  package static func forward(
    _ images: DoubleTensor, _ filters: DoubleTensor, bias: [Double]?, window: ConvolutionWindow
  ) -> DoubleTensor {
    var output = DoubleTensor(zeros: mapShape(images.shape, filters.shape, window))
    forEachProduct(images.shape, filters.shape, window) { n, y, x, f, i, j, c, v, u in
      output[n, y, x, f] += filters[i, j, c, f] * images[n, v, u, c]
    }
    if let bias {
      for i in output.elements.indices { output.elements[i] += bias[i % bias.count] }
    }
    return output
  }

  /// The transposed convolution, which is also the input gradient:
  /// `images[n, v, u, c] += filters[i, j, c, f] · maps[n, y, x, f]`, plus the bias.
  ///
  /// - Parameters:
  ///   - maps: `[N, H′, W′, F]`.
  ///   - filters: `[kernelHeight, kernelWidth, C, F]`.
  /// - Returns: `[N, H, W, C]`, the `imageShape`.
  package static func backward(
    _ maps: DoubleTensor, _ filters: DoubleTensor, bias: [Double]?, imageShape: [Int],
    window: ConvolutionWindow
  ) -> DoubleTensor {
    var images = DoubleTensor(zeros: imageShape)
    forEachProduct(imageShape, filters.shape, window) { n, y, x, f, i, j, c, v, u in
      images[n, v, u, c] += filters[i, j, c, f] * maps[n, y, x, f]
    }
    if let bias {
      for i in images.elements.indices { images.elements[i] += bias[i % bias.count] }
    }
    return images
  }

  /// The filter gradient: `filters[i, j, c, f] += images[n, v, u, c] · maps[n, y, x, f]`.
  ///
  /// - Parameter maps: the output gradient, `[N, H′, W′, F]`.
  package static func filterGradient(
    _ images: DoubleTensor, _ maps: DoubleTensor, window: ConvolutionWindow
  ) -> DoubleTensor {
    let shape = [window.kernelHeight, window.kernelWidth, images.shape[3], maps.shape[3]]
    var filters = DoubleTensor(zeros: shape)
    forEachProduct(images.shape, shape, window) { n, y, x, f, i, j, c, v, u in
      filters[i, j, c, f] += images[n, v, u, c] * maps[n, y, x, f]
    }
    return filters
  }

  /// The shape of the output, `[N, H′, W′, F]`.
  package static func mapShape(
    _ images: [Int], _ filters: [Int], _ window: ConvolutionWindow
  ) -> [Int] {
    let padding = window.padding
    return [
      images[0],
      (images[1] + padding.top + padding.bottom - filters[0]) / window.stride + 1,
      (images[2] + padding.left + padding.right - filters[1]) / window.stride + 1,
      filters[3],
    ]
  }

  /// Calls `body` for every product of the convolution, with the image n, output position (y, x), filter f,
  /// kernel tap (i, j), channel c, and the input pixel (v, u) under the tap. The padding is skipped.
  private static func forEachProduct(
    _ images: [Int], _ filters: [Int], _ window: ConvolutionWindow,
    _ body: (Int, Int, Int, Int, Int, Int, Int, Int, Int) -> Void
  ) {
    let output = mapShape(images, filters, window)
    for n in 0..<output[0] {
      for y in 0..<output[1] {
        for x in 0..<output[2] {
          for i in 0..<filters[0] {
            let v = y * window.stride + i - window.padding.top
            guard v >= 0, v < images[1] else { continue }
            for j in 0..<filters[1] {
              let u = x * window.stride + j - window.padding.left
              guard u >= 0, u < images[2] else { continue }
              for c in 0..<filters[2] {
                for f in 0..<filters[3] { body(n, y, x, f, i, j, c, v, u) }
              }
            }
          }
        }
      }
    }
  }
}
