import Autoencoders
import Autograd
import NN
import Quantizers
import Tensors

/// One call of a convolution kernel in a training step, for one image.
///
/// A convolution and a transposed one are the same three products; which of them is the layer's forward
/// differs. So kernels are verified and measured by product.
package struct ConvolutionCall: Hashable, Sendable {
  /// What is computed from the other two.
  package enum Product: String, Sendable {
    case maps, images, filters
  }

  package let product: Product
  /// `[1, H, W, C]`: of the images under the kernel, whether they are made or given.
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

  /// `[1, H′, W′, filters]`.
  package var maps: Shape {
    let padding = window.padding
    return [
      1, (images[1] + padding.top + padding.bottom - window.kernelHeight) / window.stride + 1,
      (images[2] + padding.left + padding.right - window.kernelWidth) / window.stride + 1,
      filters[3],
    ]
  }

  /// The multiply-adds of the definition, those with the padding's zeros included. All three products
  /// have as many.
  package var multiplyAdds: Int { maps[1] * maps[2] * filters.count }

  /// Such as `maps 8×8×32 of 8×8×128 by 3×3`.
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

/// What a training step of a model computes for one image, as the model itself tells.
package struct ModelWork: Sendable {
  /// What a call is for.
  package enum Role: String, Sendable {
    case forward, inputGradient, filterGradient
  }

  /// A call, and the layer that makes it.
  package struct Entry: Sendable {
    package let layer: String
    package let role: Role
    package let call: ConvolutionCall
  }

  /// In the order of the forward pass.
  package let entries: [Entry]
  /// Multiply-adds of all distances between vectors and codewords.
  package let distances: Int

  /// Runs one image through a model, and writes down the convolutions that it asks for.
  package init(of model: VQVAE, _ values: ParameterValues, image: ImageShape) {
    var entries: [Entry] = []
    let tape = Tape(
      values,
      context: ExecutionContext(convolution: model.convolution) { entries += Self.entries($0) })
    let images = tape.constant(Tensor(zeros: image.shape(images: 1)))
    _ = model(images, in: ShardContext(validCount: 1, batchSize: 1))
    self.entries = entries
    distances = zip(model.architecture.latents, model.quantizers).reduce(0) { sum, pair in
      let codewords = pair.1.codebook?.parameter.shape.count ?? 0
      return sum + pair.0.height * pair.0.width * codewords
    }
  }

  /// The calls of an operation that is a convolution; none of others.
  private static func entries(_ operation: TracedOperation) -> [Entry] {
    guard let attributes = operation.attributes as? ConvolutionAttributes,
      let source = operation.inputs[ConvolutionInput.source],
      let filters = operation.inputs[ConvolutionInput.filters]
    else { return [] }
    let isTransposed = operation.function == ConvolveTransposed.self
    let hasBias = operation.inputs[ConvolutionInput.bias] != nil
    let images = isTransposed ? operation.output : source.shape
    let layer = filters.parameter.map {
      $0.hasSuffix(".weight") ? String($0.dropLast(".weight".count)) : $0
    }
    func entry(
      _ role: Role, _ product: ConvolutionCall.Product, hasBias: Bool = false
    ) -> Entry {
      Entry(
        layer: layer ?? "-", role: role,
        call: ConvolutionCall(
          product, images: images, filters: filters.shape, window: attributes.window,
          hasBias: hasBias))
    }
    let (there, back): (ConvolutionCall.Product, ConvolutionCall.Product) =
      isTransposed ? (.images, .maps) : (.maps, .images)
    return [entry(.forward, there, hasBias: hasBias)]
      + (source.needsGradient ? [entry(.inputGradient, back)] : [])
      + (filters.needsGradient ? [entry(.filterGradient, .filters)] : [])
  }

  /// Floating-point operations a step and image, two for a multiply-add: of all convolutions as their
  /// definition has them, forward and the gradients that are needed, and of the distances.
  ///
  /// A kernel that gets by with fewer, such as Winograd's, is credited with these.
  package var flopPerImage: Int {
    2 * (entries.reduce(distances) { $0 + $1.call.multiplyAdds })
  }

  /// The different calls, in the order of their first occurrence.
  package var calls: [ConvolutionCall] {
    var seen: Set<ConvolutionCall> = []
    return entries.map(\.call).filter { seen.insert($0).inserted }
  }
}
