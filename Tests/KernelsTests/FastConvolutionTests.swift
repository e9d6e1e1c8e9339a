import KernelTypes
import Kernels
import Runtime
import Tensors
import TestSupport
import Testing

/// A shape, and the method that is to compute all three of its passes.
struct FastConvolutionCase: Sendable, CustomTestStringConvertible {
  let shape: ConvolutionCase
  let method: ConvolutionMethod
  /// The largest error, relative to the largest result.
  ///
  /// Sums of up to a few thousand products of numbers below 1, in order: 5e-6. Winograd's transforms multiply
  /// by up to 8 twice and cancel again, which costs two to three bits: 2e-5.
  var tolerance: Double { method == .auto ? 2e-5 : 5e-6 }

  var testDescription: String { "\(method.rawValue): \(shape.name)" }

  /// Widths that are not multiples of a tile, both remainders of rows, several panels, strides with and
  /// without equal phases, and padding on one side only.
  private static let direct: [ConvolutionCase] = [
    ConvolutionCase("3×3", [2, 5, 8, 32], filters: 32, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase(
      "3×3, 11 wide", [1, 4, 11, 32], filters: 64, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase("1×1", [3, 3, 9, 64], filters: 32, kernel: (1, 1)),
    ConvolutionCase(
      "4×4 stride 2", [2, 6, 16, 32], filters: 32, kernel: (4, 4), stride: 2, padding: Padding(1)),
    ConvolutionCase(
      "4×4 stride 2, odd", [1, 7, 19, 32], filters: 32, kernel: (4, 4), stride: 2,
      padding: Padding(1)),
    ConvolutionCase(
      "3 channels", [2, 8, 32, 3], filters: 64, kernel: (4, 4), stride: 2, padding: Padding(1)),
    ConvolutionCase(
      "3 channels, odd", [2, 9, 21, 3], filters: 32, kernel: (4, 4), stride: 2, padding: Padding(1)),
    ConvolutionCase(
      "20 channels", [2, 5, 12, 20], filters: 32, kernel: (2, 2), padding: Padding(0)),
    ConvolutionCase(
      "3×3 stride 2", [2, 9, 18, 32], filters: 32, kernel: (3, 3), stride: 2,
      padding: Padding(top: 0, left: 0, bottom: 1, right: 1)),
    ConvolutionCase(
      "5×3 stride 3", [1, 10, 27, 32], filters: 32, kernel: (5, 3), stride: 3, padding: Padding(2)),
    ConvolutionCase(
      "asymmetric", [2, 4, 12, 32], filters: 32, kernel: (2, 3),
      padding: Padding(top: 2, left: 0, bottom: 1, right: 3)),
    // Feature maps too small for the rows of a tile: fewer than eight rows in all, eight and more, and a
    // single position.
    ConvolutionCase(
      "4×4 stride 2, 2×2 maps", [7, 4, 4, 32], filters: 64, kernel: (4, 4), stride: 2,
      padding: Padding(1)),
    ConvolutionCase(
      "4×4 stride 2, one map of 2×2", [1, 4, 4, 32], filters: 32, kernel: (4, 4), stride: 2,
      padding: Padding(1)),
    ConvolutionCase("3×3, one position", [11, 3, 3, 32], filters: 32, kernel: (3, 3)),
    // Fourteen images fill the workspace: a last block of one row.
    ConvolutionCase("3×3, one position, two blocks", [15, 3, 3, 512], filters: 32, kernel: (3, 3)),
    ConvolutionCase("1×1, 4×3 maps", [2, 4, 3, 64], filters: 32, kernel: (1, 1)),
    ConvolutionCase("1×1, one map of 2×3", [1, 2, 3, 32], filters: 64, kernel: (1, 1)),
    ConvolutionCase(
      "5×5, blocks of images", [70, 5, 6, 32], filters: 32, kernel: (5, 5), padding: Padding(1)),
    ConvolutionCase(
      "many images", [20, 8, 8, 64], filters: 32, kernel: (3, 3), padding: Padding(1)),
  ]

  /// Too few filters for a register, so that some passes are computed by the mirrored convolution: equal and
  /// unequal padding on opposite sides, kernels of odd and even size, and a kernel of one element.
  private static let mirrored: [ConvolutionCase] = [
    ConvolutionCase("3 filters", [2, 8, 9, 64], filters: 3, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase(
      "3 filters, small maps", [5, 3, 2, 32], filters: 3, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase(
      "5 filters, asymmetric", [3, 7, 11, 32], filters: 5, kernel: (3, 3),
      padding: Padding(top: 2, left: 0, bottom: 1, right: 2)),
    ConvolutionCase(
      "7 filters, 2×5", [2, 6, 12, 32], filters: 7, kernel: (2, 5),
      padding: Padding(top: 1, left: 2, bottom: 0, right: 3)),
    ConvolutionCase("30 filters, 1×1", [2, 4, 3, 32], filters: 30, kernel: (1, 1)),
    ConvolutionCase("3 filters, unpadded", [1, 12, 10, 96], filters: 3, kernel: (3, 3)),
    ConvolutionCase(
      "3 filters, many images", [40, 16, 16, 32], filters: 3, kernel: (3, 3), padding: Padding(1)),
  ]

  /// Whole and partial tiles in both directions, one tile and many, more images than share one product,
  /// unequal padding, no padding, and several strides.
  private static let winograd: [ConvolutionCase] = [
    ConvolutionCase("3×3", [2, 8, 8, 32], filters: 32, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase(
      "3×3, one tile", [3, 4, 4, 64], filters: 64, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase(
      "3×3, parts of tiles", [2, 7, 11, 32], filters: 64, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase("3×3 unpadded", [1, 10, 13, 64], filters: 32, kernel: (3, 3)),
    ConvolutionCase(
      "3×3, 37 images", [37, 8, 8, 32], filters: 32, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase(
      "3×3, a large image", [2, 33, 40, 32], filters: 32, kernel: (3, 3), padding: Padding(1)),
    ConvolutionCase(
      "3×3, asymmetric", [2, 9, 8, 32], filters: 32, kernel: (3, 3),
      padding: Padding(top: 2, left: 0, bottom: 1, right: 3)),
    ConvolutionCase("2×2", [2, 13, 12, 32], filters: 32, kernel: (2, 2)),
    ConvolutionCase(
      "4×4 stride 2", [3, 16, 16, 64], filters: 96, kernel: (4, 4), stride: 2, padding: Padding(1)),
    ConvolutionCase(
      "4×4 stride 2, odd", [2, 15, 17, 32], filters: 32, kernel: (4, 4), stride: 2,
      padding: Padding(1)),
    // Phases of 9 and 8 positions, which have different numbers of tiles and of images in the workspace.
    ConvolutionCase(
      "4×4 stride 2, unequal phases", [8, 17, 17, 32], filters: 256, kernel: (4, 4), stride: 2,
      padding: Padding(1)),
    ConvolutionCase(
      "4×4 stride 2, asymmetric", [2, 16, 15, 32], filters: 32, kernel: (4, 4), stride: 2,
      padding: Padding(top: 0, left: 2, bottom: 3, right: 1)),
    ConvolutionCase(
      "6×6 stride 2", [2, 16, 16, 32], filters: 32, kernel: (6, 6), stride: 2, padding: Padding(2)),
    ConvolutionCase(
      "6×6 stride 3", [1, 24, 25, 32], filters: 32, kernel: (6, 6), stride: 3, padding: Padding(2)),
  ]

  static let all =
    (direct + mirrored).map { FastConvolutionCase(shape: $0, method: .direct) }
    + winograd.map { FastConvolutionCase(shape: $0, method: .auto) }
}

/// The kernels on register tiles, against the definition in double precision and against the reference
/// kernels. OpenBLAS's kernels compute all of them by im2col, and skip the tests that would compare im2col with
/// itself.
@Suite("Fast convolution")
struct FastConvolutionTests {
  private static let hasFastConvolutions = kernels.fastestConvolution != .im2col
  private static let noFastKernels: Comment = "these kernels have no fast convolutions"

  private struct Inputs {
    let images: Tensor
    let filters: Tensor
    let maps: Tensor
    let bias: Tensor
    let imageBias: Tensor

    init(_ shape: ConvolutionCase) {
      let g = shape.geometry
      var generator = SeededGenerator(test: 11)
      let count = shape.images[0]
      images = generator.tensor([count, g.height, g.width, g.channels])
      filters = generator.tensor([g.kernelHeight, g.kernelWidth, g.channels, g.filters])
      maps = generator.tensor([count, g.outHeight, g.outWidth, g.filters])
      bias = generator.tensor([g.filters])
      imageBias = generator.tensor([g.channels])
    }
  }

  @Test(
    "every case is computed by one of its method's algorithms",
    .enabled(if: Self.hasFastConvolutions, Self.noFastKernels),
    arguments: FastConvolutionCase.all)
  func suits(test: FastConvolutionCase) {
    let (limit, expected): (ConvolutionAlgorithm, Set<ConvolutionAlgorithm>) =
      test.method == .auto ? (.winograd, [.winograd]) : (.direct, [.columns, .direct])
    for pass in ConvolutionPass.allCases {
      let plan = ConvolutionPlan(test.shape.geometry, pass, upTo: limit)
      #expect(expected.contains(plan.algorithm), "\(pass)")
      // The forward pass uses the mirrored convolution if and only if there are few filters.
      if pass == .forward { #expect(plan.isMirrored == (test.shape.filters % 32 != 0)) }
    }
  }

  @Test(
    "the output and both gradients agree with the definition, with and without bias",
    arguments: FastConvolutionCase.all)
  func definition(test: FastConvolutionCase) {
    let (shape, method) = (test.shape, test.method)
    let inputs = Inputs(shape)
    let window = shape.window
    let (images, filters) = (DoubleTensor(inputs.images), DoubleTensor(inputs.filters))
    for bias in [nil, inputs.bias] {
      expectClose(
        inputs.images.convolved(with: inputs.filters, bias: bias, window: window, method: method),
        NaiveConvolution.forward(
          images, filters, bias: bias?.elements.map(Double.init), window: window),
        tolerance: test.tolerance, "\(shape.name), forward")
    }
    for bias in [nil, inputs.imageBias] {
      expectClose(
        inputs.maps.transposedConvolved(
          with: inputs.filters, bias: bias, window: window, imageShape: inputs.images.shape,
          method: method),
        NaiveConvolution.backward(
          DoubleTensor(inputs.maps), filters, bias: bias?.elements.map(Double.init),
          imageShape: inputs.images.shape.extents, window: window),
        tolerance: test.tolerance, "\(shape.name), input gradient")
    }
    expectClose(
      inputs.images.filterGradient(gradOutput: inputs.maps, window: window, method: method),
      NaiveConvolution.filterGradient(images, DoubleTensor(inputs.maps), window: window),
      tolerance: test.tolerance, "\(shape.name), filter gradient")
  }

  @Test(
    "the output and both gradients agree with the reference kernels, which sum in another order",
    .enabled(if: Self.hasFastConvolutions, Self.noFastKernels), arguments: FastConvolutionCase.all)
  func reference(test: FastConvolutionCase) {
    let (shape, method) = (test.shape, test.method)
    let inputs = Inputs(shape)
    let window = shape.window
    expectClose(
      inputs.images.convolved(
        with: inputs.filters, bias: inputs.bias, window: window, method: method),
      inputs.images.convolved(
        with: inputs.filters, bias: inputs.bias, window: window, method: .im2col),
      tolerance: test.tolerance, "\(shape.name), forward")
    expectClose(
      inputs.maps.transposedConvolved(
        with: inputs.filters, bias: nil, window: window, imageShape: inputs.images.shape,
        method: method),
      inputs.maps.transposedConvolved(
        with: inputs.filters, bias: nil, window: window, imageShape: inputs.images.shape,
        method: .im2col), tolerance: test.tolerance, "\(shape.name), input gradient")
    expectClose(
      inputs.images.filterGradient(gradOutput: inputs.maps, window: window, method: method),
      inputs.images.filterGradient(gradOutput: inputs.maps, window: window, method: .im2col),
      tolerance: test.tolerance, "\(shape.name), filter gradient")
  }

  @Test(
    "no pass writes outside its result, its workspace and its packed filters",
    arguments: FastConvolutionCase.all)
  func bounds(test: FastConvolutionCase) {
    let (shape, inputs) = (test.shape, Inputs(test.shape))
    for pass in ConvolutionPass.allCases {
      let plan = ConvolutionPlan(
        shape.geometry, pass,
        upTo: min(test.method == .auto ? .winograd : .direct, kernels.fastestConvolution))
      let (first, second, result) =
        switch pass {
        case .forward: (inputs.images, inputs.filters, inputs.maps)
        case .inputGradient: (inputs.maps, inputs.filters, inputs.images)
        case .filterGradient: (inputs.images, inputs.maps, inputs.filters)
        }
      let packed = kernels.packedFilterCount(plan).map { count in
        guarded(count) { packed in
          _ = guarded(kernels.packingWorkspaceCount(plan)) { workspace in
            second.withUnsafePointer {
              kernels.packFilters($0, for: plan, into: packed, workspace: workspace)
            }
          }
        }
      }
      withGuardedWorkspace(kernels.workspaceCount(plan, count: shape.images[0])) { workspace in
        let found = guarded(result.count) { result in
          first.withUnsafePointer { first in
            Tensor([packed?.count ?? second.count], packed ?? second.elements).withUnsafePointer {
              kernels.convolve(
                plan, first, $0, epilogue: ConvolutionEpilogue(), count: shape.images[0],
                into: result,
                workspace: workspace)
            }
          }
        }
        #expect(found.allSatisfy { $0.isFinite }, "\(pass): every element is written")
      }
    }
  }

  /// Like ``guarded``, with memory from the pool, because the kernels rely on its alignment.
  private func withGuardedWorkspace(
    _ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void
  ) {
    let (sentinel, margin): (Float, Int) = (12_345.5, 64)
    let block = BufferPool.take(count + margin)
    defer { BufferPool.giveBack(block, count: count + margin) }
    block.update(repeating: .nan, count: count)
    (block + count).update(repeating: sentinel, count: margin)
    body(block)
    #expect((0..<margin).allSatisfy { block[count + $0] == sentinel }, "beyond the workspace")
  }

  @Test(
    "a residual added in the kernel equals one added after it, in every algorithm",
    arguments: FastConvolutionCase.all, [ConvolutionMethod.im2col, nil])
  func residual(test: FastConvolutionCase, other: ConvolutionMethod?) {
    let (shape, method) = (test.shape, other ?? test.method)
    let inputs = Inputs(shape)
    let window = shape.window
    for (bias, relu) in [(nil, false), (inputs.bias, true)] {
      let plain = inputs.images.convolved(
        with: inputs.filters, bias: bias, window: window, method: method)
      let sum = plain + inputs.maps
      // The sums are rounded once more or once fewer.
      expectClose(
        inputs.images.convolved(
          with: inputs.filters, bias: bias, residual: inputs.maps, relu: relu,
          window: window, method: method),
        relu ? sum.relu() : sum, tolerance: 1e-6, "forward")
    }
    let plain = inputs.maps.transposedConvolved(
      with: inputs.filters, bias: inputs.imageBias, window: window,
      imageShape: inputs.images.shape, method: method)
    expectClose(
      inputs.maps.transposedConvolved(
        with: inputs.filters, bias: inputs.imageBias, residual: inputs.images, relu: true,
        window: window, imageShape: inputs.images.shape, method: method),
      (plain + inputs.images).relu(), tolerance: 1e-6, "transposed")
  }

  /// The sums are the same and `max` does not round, so the bytes are the same, including NaN.
  @Test(
    "ReLU in the kernel equals ReLU after it, in every algorithm",
    arguments: FastConvolutionCase.all,
    [ConvolutionMethod.im2col, nil])
  func fusedReLU(test: FastConvolutionCase, other: ConvolutionMethod?) {
    let (shape, method) = (test.shape, other ?? test.method)
    let inputs = Inputs(shape)
    let window = shape.window
    for nan in [false, true] {
      var (images, maps) = (inputs.images, inputs.maps)
      if nan {
        images.withUnsafeMutablePointer { $0[0] = .nan }
        maps.withUnsafeMutablePointer { $0[0] = .nan }
      }
      let forward = [false, true].map {
        images.convolved(
          with: inputs.filters, bias: inputs.bias, relu: $0, window: window, method: method)
      }
      #expect(bits(forward[1].elements) == bits(forward[0].relu().elements), "forward")
      #expect(forward[1].elements.contains { $0 == 0 } && forward[1].elements.contains { $0 > 0 })
      #expect(forward[1].elements.contains { $0.isNaN } == nan)
      let transposed = [false, true].map {
        maps.transposedConvolved(
          with: inputs.filters, bias: inputs.imageBias, relu: $0, window: window,
          imageShape: images.shape, method: method)
      }
      #expect(bits(transposed[1].elements) == bits(transposed[0].relu().elements), "transposed")
      #expect(transposed[1].elements.contains { $0 == 0 })
    }
  }
}
