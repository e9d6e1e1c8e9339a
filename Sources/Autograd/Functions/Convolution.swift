import Tensors

/// How a convolution is made: its window, and the kernels that compute it.
package struct ConvolutionAttributes {
  let window: ConvolutionWindow
  let method: ConvolutionMethod
  let hasBias: Bool
  /// Whether ReLU follows, done before the result is first written.
  let rectifies: Bool
}

/// Cross-correlation of images with filters, plus a bias and an addend, and then perhaps ReLU.
///
///     output[n, y, x, f] = bias[f] + Σ over i, j, c of
///         filters[i, j, c, f] · images[n, y·stride + i − top, x·stride + j − left, c] + addend[n, y, x, f]
///
/// Inputs: images `[N, H, W, C]`, filters `[kernelHeight, kernelWidth, C, F]`, a bias `[F]` or nothing, and
/// an addend shaped like the output or nothing. Output: `[N, H′, W′, F]`.
package enum Convolve: Function {
  package struct Saved {
    let images: Tensor
    let filters: Tensor
    /// What ReLU returned; nil where there is none.
    let rectified: Tensor?
  }

  package static func forward(
    _ inputs: [Tensor], _ attributes: ConvolutionAttributes, _ context: inout Context<Self>
  ) -> Tensor {
    let output = inputs[0].convolved(
      with: inputs[1], bias: attributes.hasBias ? inputs[2] : nil,
      addend: inputs.count > addendPlace(attributes) ? inputs[addendPlace(attributes)] : nil,
      rectifies: attributes.rectifies, window: attributes.window, method: attributes.method)
    context.save(
      Saved(
        images: inputs[0], filters: inputs[1], rectified: attributes.rectifies ? output : nil))
    return output
  }

  package static func backward(
    _ gradient: consuming Tensor, _ attributes: ConvolutionAttributes, _ context: Context<Self>
  ) -> [Tensor?] {
    let (images, filters) = (context.saved.images, context.saved.filters)
    let needs = context.needsGradient
    if let rectified = context.saved.rectified { gradient.zero(whereNotPositive: rectified) }
    var gradients: [Tensor?] = [
      needs[0]
        ? gradient.convolvedBackwards(
          with: filters, bias: nil, window: attributes.window, imageShape: images.shape,
          method: attributes.method) : nil,
      needs[1]
        ? images.filterGradient(
          gradMaps: gradient, window: attributes.window, method: attributes.method) : nil,
    ]
    if attributes.hasBias { gradients.append(needs[2] ? gradient.sumOfRows() : nil) }
    let place = addendPlace(attributes)
    if needs.count > place { gradients.append(needs[place] ? gradient : nil) }
    return gradients
  }

  private static func addendPlace(_ attributes: ConvolutionAttributes) -> Int {
    attributes.hasBias ? 3 : 2
  }
}

/// Transposed convolution: a convolution walked backwards, from maps to images, plus a bias.
///
/// Inputs: maps `[N, H, W, F]`, filters `[kernelHeight, kernelWidth, C, F]` of the convolution that is
/// walked backwards, and a bias `[C]` or nothing. Output: `[N, H′, W′, C]` with
/// `H′ = (H − 1)·stride + kernelHeight − padding`.
package enum ConvolveTransposed: Function {
  package struct Saved {
    let maps: Tensor
    let filters: Tensor
    /// What ReLU returned; nil where there is none.
    let rectified: Tensor?
  }

  package static func forward(
    _ inputs: [Tensor], _ attributes: ConvolutionAttributes, _ context: inout Context<Self>
  ) -> Tensor {
    let (maps, filters) = (inputs[0], inputs[1])
    let extents = attributes.window.imageExtents(height: maps.shape[1], width: maps.shape[2])
    let output = maps.convolvedBackwards(
      with: filters, bias: inputs.count > 2 ? inputs[2] : nil, rectifies: attributes.rectifies,
      window: attributes.window,
      imageShape: [maps.shape[0], extents.height, extents.width, filters.shape[2]],
      method: attributes.method)
    context.save(
      Saved(maps: maps, filters: filters, rectified: attributes.rectifies ? output : nil))
    return output
  }

  package static func backward(
    _ gradient: consuming Tensor, _ attributes: ConvolutionAttributes, _ context: Context<Self>
  ) -> [Tensor?] {
    let (maps, filters) = (context.saved.maps, context.saved.filters)
    let needs = context.needsGradient
    if let rectified = context.saved.rectified { gradient.zero(whereNotPositive: rectified) }
    var gradients: [Tensor?] = [
      needs[0]
        ? gradient.convolved(
          with: filters, bias: nil, window: attributes.window, method: attributes.method) : nil,
      needs[1]
        ? gradient.filterGradient(
          gradMaps: maps, window: attributes.window, method: attributes.method) : nil,
    ]
    if needs.count > 2 { gradients.append(needs[2] ? gradient.sumOfRows() : nil) }
    return gradients
  }
}

/// What a tape's observer is told of a convolution.
package struct ObservedConvolution {
  package let isTransposed: Bool
  /// What the convolution takes: images, or where it is transposed maps.
  package let input: Shape
  package let filters: Shape
  package let hasBias: Bool
  package let window: ConvolutionWindow
  /// Whether `backward` will want the gradients of input and filters.
  package let needsInputGradient: Bool
  package let needsFilterGradient: Bool
  /// The parameter that the filters are; nil where they are none, or where the tape does not record.
  package let filtersName: String?

  fileprivate init(
    _ input: Variable, _ filters: Variable, bias: Variable?, window: ConvolutionWindow,
    isTransposed: Bool
  ) {
    self.isTransposed = isTransposed
    self.input = input.shape
    self.filters = filters.shape
    hasBias = bias != nil
    self.window = window
    needsInputGradient = input.needsGradient
    needsFilterGradient = filters.needsGradient
    filtersName = input.tape.parameterName(of: filters)
  }
}

/// ``Convolve`` as a function of variables.
package func convolve(
  _ images: Variable, _ filters: Variable, bias: Variable?, adding addend: Variable? = nil,
  rectifies: Bool = false, window: ConvolutionWindow
) -> Variable {
  images.tape.observer?(
    ObservedConvolution(images, filters, bias: bias, window: window, isTransposed: false))
  let attributes = ConvolutionAttributes(
    window: window, method: images.tape.convolution, hasBias: bias != nil, rectifies: rectifies)
  let inputs = [images, filters, bias, addend].compactMap(\.self)
  return Convolve.apply(inputs, attributes).output
}

/// ``ConvolveTransposed`` as a function of variables.
package func convolveTransposed(
  _ maps: Variable, _ filters: Variable, bias: Variable?, rectifies: Bool = false,
  window: ConvolutionWindow
) -> Variable {
  maps.tape.observer?(
    ObservedConvolution(maps, filters, bias: bias, window: window, isTransposed: true))
  let attributes = ConvolutionAttributes(
    window: window, method: maps.tape.convolution, hasBias: bias != nil, rectifies: rectifies)
  return ConvolveTransposed.apply([maps, filters] + (bias.map { [$0] } ?? []), attributes).output
}
