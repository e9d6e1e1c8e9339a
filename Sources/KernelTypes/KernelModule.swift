/// The kernels, compiled for one instruction set: a table of functions, chosen once at start.
///
/// The sources are in Sources/KernelSources, where each function's documentation gives its shapes and memory. All
/// pointers are to memory that the caller owns; unless said otherwise a result is overwritten and overlaps no operand.
/// Nothing is checked here: `Tensors` has one checked wrapper for each kernel.
///
/// Every module but OpenBLAS's gives the same bits: each output is summed in the same order with fused multiply-adds,
/// and sums across lanes go through one vector of sixteen.
package protocol KernelModule: ConvolutionKernels, SearchKernels, NormalizationKernels,
  ElementwiseKernels, ReductionKernels, RowKernels, Sendable
{}

/// Convolutions and matrix products.
package protocol ConvolutionKernels {
  /// The last algorithm that a plan may name.
  static var fastestConvolution: ConvolutionAlgorithm { get }

  /// Floats of the packed filters that a plan reads, or nil if it reads the filters as they are.
  static func packedFilterCount(_ plan: ConvolutionPlan) -> Int?

  /// Floats of scratch memory for ``packFilters(_:for:into:workspace:)``.
  static func packingWorkspaceCount(_ plan: ConvolutionPlan) -> Int

  /// Packs filters `[kernelHeight, kernelWidth, channels, filters]` for a plan, once for many calls.
  ///
  /// - Parameter packed: ``packedFilterCount(_:)`` floats; unchanged if that is nil.
  static func packFilters(
    _ filters: UnsafePointer<Float>, for plan: ConvolutionPlan,
    into packed: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>)

  /// Floats of scratch memory that a plan needs for a batch of `count`.
  static func workspaceCount(_ plan: ConvolutionPlan, count: Int) -> Int

  /// Computes a pass of a convolution.
  ///
  /// | pass | first | second | epilogue | result |
  /// |---|---|---|---|---|
  /// | forward | images | packed filters | of `filters` channels | feature maps |
  /// | input gradient | feature maps | packed filters | of `channels` channels | images |
  /// | filter gradient | images | gradient of the output | none | gradient of the filters |
  ///
  /// - Parameter workspace: ``workspaceCount(_:count:)`` floats, aligned to 64 bytes.
  static func convolve(
    _ plan: ConvolutionPlan, _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>,
    epilogue: ConvolutionEpilogue, count: Int, into result: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>)

  /// The column matrix of images.
  static func im2col(
    _ images: UnsafePointer<Float>, count: Int, geometry: ConvolutionGeometry,
    into columns: UnsafeMutablePointer<Float>)

  /// Adds the column matrix back to images.
  static func col2im(
    _ columns: UnsafePointer<Float>, count: Int, geometry: ConvolutionGeometry,
    into images: UnsafeMutablePointer<Float>, stride: Int)

  /// Floats of scratch memory for ``product(_:_:factor:into:stride:adds:workspace:)`` with a reduction of `inner`.
  static func productWorkspaceCount(inner: Int) -> Int

  /// `result = a · (factor·b)`, or with `adds` `result += a · (factor·b)`.
  ///
  /// - Parameters:
  ///   - a: `[M, K]`.
  ///   - b: `[K, N]`.
  ///   - result: `[M, N]`, with `stride` floats between two rows.
  static func product(
    _ a: MatrixView, _ b: MatrixView, factor: Float, into result: UnsafeMutablePointer<Float>,
    stride: Int, adds: Bool, workspace: UnsafeMutablePointer<Float>)
}

/// The search for the nearest codeword. A codebook is `[codewords, width]`, vectors are `[count, width]`.
package protocol SearchKernels {
  /// All squared distances, `[count, codewords]`.
  ///
  /// - Parameter workspace: ``ConvolutionKernels/productWorkspaceCount(inner:)`` of `width` floats.
  static func squaredDistances(
    _ vectors: UnsafePointer<Float>, count: Int, codebook: UnsafePointer<Float>, codewords: Int,
    width: Int, into distances: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>)

  static func packedCodebookCount(codewords: Int, width: Int) -> Int

  /// Packs a codebook for ``nearestCodewords(_:count:codebook:packed:codewords:width:into:workspace:)``.
  static func packCodebook(
    _ codebook: UnsafePointer<Float>, codewords: Int, width: Int,
    into packed: UnsafeMutablePointer<Float>)

  static func nearestCodewordsWorkspaceCount(codewords: Int, width: Int) -> Int

  /// The nearest codeword of every vector, ties to the lowest.
  static func nearestCodewords(
    _ vectors: UnsafePointer<Float>, count: Int, codebook: UnsafePointer<Float>,
    packed: UnsafePointer<Float>, codewords: Int, width: Int,
    into codes: UnsafeMutablePointer<Int32>, workspace: UnsafeMutablePointer<Float>)

  /// The same by the definition, in double precision.
  static func nearestCodewordsByDefinition(
    _ vectors: UnsafePointer<Float>, count: Int, codebook: UnsafePointer<Float>, codewords: Int,
    width: Int, into codes: UnsafeMutablePointer<Int32>)
}

/// Group normalisation.
package protocol NormalizationKernels {
  static func normalize(
    _ images: UnsafePointer<Float>, by normalization: GroupNormalization,
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, count: Int,
    into result: UnsafeMutablePointer<Float>, moments: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>)

  static func normalizeBackward(
    _ images: UnsafePointer<Float>, by normalization: GroupNormalization,
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, moments: UnsafePointer<Float>,
    count: Int, gradient: UnsafeMutablePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>)
}

/// Loops over elements.
package protocol ElementwiseKernels {
  static func add(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int,
    into result: UnsafeMutablePointer<Float>)

  static func subtract(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int,
    into result: UnsafeMutablePointer<Float>)

  static func scale(
    _ a: UnsafePointer<Float>, by factor: Float, count: Int,
    into result: UnsafeMutablePointer<Float>)

  static func scaledDifference(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, factor: Float, count: Int,
    into result: UnsafeMutablePointer<Float>)

  static func relu(
    _ a: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Float>)

  static func reluBackward(
    _ gradient: UnsafeMutablePointer<Float>, output: UnsafePointer<Float>, count: Int)

  static func tanh(
    _ a: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Float>)

  static func tanhBackward(
    _ gradient: UnsafeMutablePointer<Float>, output: UnsafePointer<Float>, count: Int)

  static func round(
    _ a: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Float>)

  static func clamp(
    _ a: UnsafePointer<Float>, low: Float, high: Float, count: Int,
    into result: UnsafeMutablePointer<Float>)

  static func pixelsFromBytes(
    _ bytes: UnsafePointer<UInt8>, count: Int, into result: UnsafeMutablePointer<Float>)

  static func bytesFromPixels(
    _ pixels: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<UInt8>)

  static func drop(
    _ mask: DropoutMask, _ rows: UnsafePointer<Float>, first: Int, count: Int, width: Int,
    into result: UnsafeMutablePointer<Float>)

  static func update(
    _ parameters: UnsafeMutablePointer<Float>, by update: AdamUpdate,
    gradients: UnsafePointer<Float>, firstMoment: UnsafeMutablePointer<Float>,
    secondMoment: UnsafeMutablePointer<Float>, count: Int)
}

/// Sums, and tests of all elements.
package protocol ReductionKernels {
  static func sum(_ a: UnsafePointer<Float>, count: Int) -> Double

  static func sumOfSquares(_ a: UnsafePointer<Float>, count: Int) -> Double

  static func sumOfSquaredDifferences(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int
  ) -> Double

  static func sumOfRows(
    _ matrix: UnsafePointer<Float>, rows: Int, columns: Int, into sums: UnsafeMutablePointer<Float>)

  static func allFinite(_ a: UnsafePointer<Float>, count: Int, squared: Bool) -> Bool

  static func pixelMoments(
    _ bytes: UnsafePointer<UInt8>, count: Int
  ) -> (sum: UInt32, squares: UInt32)
}

/// Copies of rows, columns and pixels.
package protocol RowKernels {
  static func broadcastRow(
    _ row: UnsafePointer<Float>, rows: Int, columns: Int, into matrix: UnsafeMutablePointer<Float>)

  static func copyColumns(
    _ source: UnsafePointer<Float>, sourceWidth: Int, rows: Int, columns: Int,
    into target: UnsafeMutablePointer<Float>, targetWidth: Int)

  static func gatherRows(
    _ table: UnsafePointer<Float>, indices: UnsafePointer<Int32>, count: Int, width: Int,
    into result: UnsafeMutablePointer<Float>)

  static func scatterAddRows(
    _ rows: UnsafePointer<Float>, indices: UnsafePointer<Int32>, count: Int, width: Int,
    into table: UnsafeMutablePointer<Float>)

  static func countIndices(
    _ indices: UnsafePointer<Int32>, count: Int, into counts: UnsafeMutablePointer<Float>)

  static func upsampleNearest(
    _ images: UnsafePointer<Float>, count: Int, height: Int, width: Int, channels: Int,
    into result: UnsafeMutablePointer<Float>)

  static func upsampleNearestBackward(
    _ gradient: UnsafePointer<Float>, count: Int, height: Int, width: Int, channels: Int,
    into result: UnsafeMutablePointer<Float>)
}
