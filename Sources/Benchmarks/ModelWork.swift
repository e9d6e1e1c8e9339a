import Autoencoders
import Autograd
import NN
import Quantizers
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

/// The work of a training step for one image, recorded from a forward pass of the model.
package struct ModelWork: Sendable {
  /// The purpose of a call.
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

  /// Runs one image through a model and records its convolutions.
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

  /// The calls of a convolution in a training step, or none if the operation is not a convolution.
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

  /// Floating-point operations per image and step, two for a multiply-add: those of all convolutions by
  /// their definition, forward and for the gradients that are needed, and those of the distances.
  ///
  /// A kernel that needs fewer, such as Winograd's, is credited with all of them.
  package var flopPerImage: Int {
    2 * (entries.reduce(distances) { $0 + $1.call.multiplyAdds })
  }

  /// The distinct calls, in the order of their first occurrence.
  package var calls: [ConvolutionCall] {
    var seen: Set<ConvolutionCall> = []
    return entries.map(\.call).filter { seen.insert($0).inserted }
  }
}
