import Tensors

/// The window of a convolution, and how it is computed.
package struct ConvolutionAttributes {
  package let window: ConvolutionWindow
  let method: ConvolutionMethod
  /// Whether ReLU is applied, before the result is first written to memory.
  let relu: Bool
}

/// The positions of a convolution's inputs. The last two may be missing.
package enum ConvolutionInput {
  /// The images; for a transposed convolution, the feature maps.
  package static let source = 0
  package static let filters = 1
  package static let bias = 2
  /// A tensor that is added to the output, as in a residual block.
  package static let residual = 3
}

/// Cross-correlation of images with filters, plus a bias and a residual, optionally followed by ReLU.
///
///     output[n, y, x, f] = bias[f] + Σ over i, j, c of
///         filters[i, j, c, f] · images[n, y·stride + i − top, x·stride + j − left, c] + residual[n, y, x, f]
///
/// Inputs: images `[N, H, W, C]`, filters `[kernelHeight, kernelWidth, C, F]`, an optional bias `[F]`, and an
/// optional residual shaped like the output. Output: `[N, H′, W′, F]`.
package enum Convolve: Function {
  package struct Saved {
    let images: Tensor
    let filters: Tensor
    /// The output, which ReLU's gradient needs; nil without ReLU.
    let reluOutput: Tensor?
  }

  package static func forward(
    _ inputs: Inputs<Tensor>, _ attributes: ConvolutionAttributes, _ context: inout Context<Self>
  ) -> Tensor {
    let output = inputs[0].convolved(
      with: inputs[1], bias: inputs.optional(ConvolutionInput.bias),
      residual: inputs.optional(ConvolutionInput.residual), relu: attributes.relu,
      window: attributes.window, method: attributes.method)
    context.save(
      Saved(
        images: inputs[0], filters: inputs[1], reluOutput: attributes.relu ? output : nil))
    return output
  }

  package static func backward(
    _ gradient: consuming Tensor, _ attributes: ConvolutionAttributes, _ context: Context<Self>
  ) -> [Tensor?] {
    let (images, filters) = (context.saved.images, context.saved.filters)
    let needs = context.needsGradient
    if let reluOutput = context.saved.reluOutput { gradient.zero(whereNotPositive: reluOutput) }
    var gradients: [Tensor?] = [
      needs[0]
        ? gradient.transposedConvolved(
          with: filters, bias: nil, window: attributes.window, imageShape: images.shape,
          method: attributes.method) : nil,
      needs[1]
        ? images.filterGradient(
          gradOutput: gradient, window: attributes.window, method: attributes.method) : nil,
    ]
    gradients.append(needs[ConvolutionInput.bias] ? gradient.sumOfRows() : nil)
    gradients.append(needs[ConvolutionInput.residual] ? gradient : nil)
    return gradients
  }
}

/// Transposed convolution, the input gradient of a convolution: from feature maps to images, plus a bias,
/// optionally followed by ReLU.
///
/// Inputs: feature maps `[N, H, W, F]`, filters `[kernelHeight, kernelWidth, C, F]` of the convolution whose
/// input gradient it is, and an optional bias `[C]`. Output: `[N, H′, W′, C]` with
/// `H′ = (H − 1)·stride + kernelHeight − padding`.
package enum ConvolveTransposed: Function {
  package struct Saved {
    let maps: Tensor
    let filters: Tensor
    /// The output, which ReLU's gradient needs; nil without ReLU.
    let reluOutput: Tensor?
  }

  package static func forward(
    _ inputs: Inputs<Tensor>, _ attributes: ConvolutionAttributes, _ context: inout Context<Self>
  ) -> Tensor {
    let (maps, filters) = (inputs[0], inputs[1])
    let extents = attributes.window.imageExtents(height: maps.shape[1], width: maps.shape[2])
    let output = maps.transposedConvolved(
      with: filters, bias: inputs.optional(ConvolutionInput.bias), relu: attributes.relu,
      window: attributes.window,
      imageShape: [maps.shape[0], extents.height, extents.width, filters.shape[2]],
      method: attributes.method)
    context.save(
      Saved(maps: maps, filters: filters, reluOutput: attributes.relu ? output : nil))
    return output
  }

  package static func backward(
    _ gradient: consuming Tensor, _ attributes: ConvolutionAttributes, _ context: Context<Self>
  ) -> [Tensor?] {
    let (maps, filters) = (context.saved.maps, context.saved.filters)
    let needs = context.needsGradient
    if let reluOutput = context.saved.reluOutput { gradient.zero(whereNotPositive: reluOutput) }
    var gradients: [Tensor?] = [
      needs[0]
        ? gradient.convolved(
          with: filters, bias: nil, window: attributes.window, method: attributes.method) : nil,
      needs[1]
        ? gradient.filterGradient(
          gradOutput: maps, window: attributes.window, method: attributes.method) : nil,
    ]
    gradients.append(needs[ConvolutionInput.bias] ? gradient.sumOfRows() : nil)
    return gradients
  }
}

/// ``Convolve`` as a function of variables.
package func convolve(
  _ images: Variable, _ filters: Variable, bias: Variable?, residual: Variable? = nil,
  relu: Bool = false, window: ConvolutionWindow
) -> Variable {
  let attributes = ConvolutionAttributes(
    window: window, method: images.tape.context.convolution, relu: relu)
  return Convolve.apply([images, filters, bias, residual], attributes).output
}

/// ``ConvolveTransposed`` as a function of variables.
package func convolveTransposed(
  _ maps: Variable, _ filters: Variable, bias: Variable?, relu: Bool = false,
  window: ConvolutionWindow
) -> Variable {
  let attributes = ConvolutionAttributes(
    window: window, method: maps.tape.context.convolution, relu: relu)
  return ConvolveTransposed.apply([maps, filters, bias], attributes).output
}
