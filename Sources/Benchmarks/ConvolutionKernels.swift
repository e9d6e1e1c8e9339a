import Autograd
import Tensors

/// An implementation of the three products of a convolution.
package struct ConvolutionKernels: Sendable {
  package var compute: @Sendable (ConvolutionCall, ConvolutionOperands) -> Tensor

  package init(compute: @escaping @Sendable (ConvolutionCall, ConvolutionOperands) -> Tensor) {
    self.compute = compute
  }

  /// im2col with other products than those of the kernels in use: OpenBLAS's, or ours if OpenBLAS's are in use. They
  /// are chosen for the whole process while they compute, so nothing else may.
  package static let reference = ConvolutionKernels { call, operands in
    let ours = KernelSet.runnable.first { $0 != .openblas }
    let other = KernelSet.current == .openblas ? ours : .openblas
    return (other ?? .openblas).perform { ConvolutionKernels(.im2col).compute(call, operands) }
  }

  /// The kernels in use.
  package init(_ method: ConvolutionMethod) {
    compute = { call, operands in
      let (images, filters, maps) = (operands.images, operands.filters, operands.maps)
      return switch call.product {
      case .maps:
        images.convolved(
          with: filters, bias: operands.bias, window: call.window, method: method)
      case .images:
        maps.transposedConvolved(
          with: filters, bias: operands.bias, window: call.window, imageShape: images.shape,
          method: method)
      case .filters: images.filterGradient(gradOutput: maps, window: call.window, method: method)
      }
    }
  }
}

/// Random operands of a call. The tensor that it computes is included, for its shape.
package struct ConvolutionOperands: Sendable {
  package let images: Tensor
  package let filters: Tensor
  package let maps: Tensor
  package let bias: Tensor?

  /// - Parameter count: the number of images.
  package init(_ call: ConvolutionCall, count: Int) {
    images = randomTensor(Shape([count] + call.images.extents.dropFirst()), "images")
    maps = randomTensor(Shape([count] + call.maps.extents.dropFirst()), "maps")
    filters = randomTensor(call.filters, "filters").keepingPackedForms()
    let width = call.product == .images ? images.shape.width : maps.shape.width
    bias = call.hasBias ? randomTensor([width], "bias") : nil
  }
}

/// A tensor uniform in −1…1, the same in every run.
func randomTensor(_ shape: Shape, _ name: String) -> Tensor {
  Initializer.uniform(bound: 1).tensor(shape, seed: 1, name: name)
}
