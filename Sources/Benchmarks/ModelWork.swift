import Autoencoders
import Autograd
import NN
import Quantizers
import Tensors

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
