import Autograd
import Tensors

/// One call of a convolution kernel in a training step, for one image.
///
/// A convolution and a transposed convolution consist of the same three products, and differ in which of
/// them is the forward pass. So kernels are verified and measured by product.
package struct ConvolutionCall: Hashable, Sendable {
  /// The tensor that is computed from the other two; `maps` are the feature maps of a convolution.
  package enum Product: String, Sendable {
    case maps, images, filters
  }

  package let product: Product
  /// `[1, H, W, C]`: the input of a convolution, or the output of a transposed convolution.
  package let images: Shape
  /// `[kernelHeight, kernelWidth, C, filters]`.
  package let filters: Shape
  package let window: ConvolutionWindow
  package let hasBias: Bool

  package init(
    _ product: Product, images: Shape, filters: Shape, window: ConvolutionWindow, hasBias: Bool
  ) {
    self.product = product
    self.images = images
    self.filters = filters
    self.window = window
    self.hasBias = hasBias
  }

  /// `[1, H′, W′, filters]`: the output of a convolution, or the input of a transposed convolution.
  package var maps: Shape {
    let padding = window.padding
    return [
      1, (images[1] + padding.top + padding.bottom - window.kernelHeight) / window.stride + 1,
      (images[2] + padding.left + padding.right - window.kernelWidth) / window.stride + 1,
      filters[3],
    ]
  }

  /// The multiply-adds of the definition, including those with the padding's zeros; the same for all three
  /// products.
  package var multiplyAdds: Int { maps[1] * maps[2] * filters.count }

  /// A description, such as `8×8×32 of 8×8×128 by 3×3`.
  package var name: String {
    func text(_ shape: Shape) -> String {
      shape.extents.dropFirst().map(String.init).joined(separator: "×")
    }
    let kernel = "\(window.kernelHeight)×\(window.kernelWidth)"
    let stride = window.stride == 1 ? "" : ", stride \(window.stride)"
    return switch product {
    case .maps: "\(text(maps)) of \(text(images)) by \(kernel)\(stride)"
    case .images: "\(text(images)) back from \(text(maps)) by \(kernel)\(stride)"
    case .filters: "\(kernel) filters, \(text(images)) to \(text(maps))\(stride)"
    }
  }
}
