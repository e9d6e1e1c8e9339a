import KernelTypes

extension Module {
  /// Squared distances between vectors and codewords in the `addmm` form.
  ///
  ///     distances[n, k] = (‖vectors[n]‖² + ‖codebook[k]‖²) − 2·vectors[n]·codebook[k]
  ///
  /// Cancellation: where `‖z‖` is much larger than `‖z − e‖` the absolute error is near `2⁻²⁴·‖z‖²`,
  /// and the result can be negative. ``nearestCodewords`` decides near-ties without it.
  ///
  /// Materialises the full matrix, for tests and inspection. ``nearestCodewords`` holds a block at a time.
  ///
  /// - Parameters:
  ///   - vectors: `[count, width]`.
  ///   - codebook: `[codewords, width]`.
  ///   - distances: `[count, codewords]`, overwritten.
  ///   - workspace: ``productWorkspaceCount(inner:)`` of `width` floats.
  package static func squaredDistances(
    _ vectors: UnsafePointer<Float>, count: Int, codebook: UnsafePointer<Float>, codewords: Int,
    width: Int, into distances: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
  ) {
    let norms = distances
    guard count > 0 else { return }
    for k in 0..<codewords {
      norms[k] = Float(sumOfSquares(codebook + k &* width, count: width))
    }
    // From the last row to the first: the first one holds the codewords' norms.
    var n = count
    while n > 0 {
      n &-= 1
      let norm = Float(sumOfSquares(vectors + n &* width, count: width))
      let row = distances + n &* codewords
      for k in 0..<codewords { row[k] = norm + norms[k] }
    }
    product(
      MatrixView(vectors, rows: count, columns: width),
      MatrixView(codebook, rows: codewords, columns: width).transposed,
      factor: -2, into: distances, stride: codewords, adds: true, workspace: workspace)
  }
}

/// The largest squared norm of a vector or codeword that is searched: a quarter of Float's range, so that no
/// score overflows.
let largestSearchableNorm: Float = 0x1p126

/// A codebook in the form that ``nearestCodewords`` searches: the largest `‖e‖²`, then `‖e‖²` of each
/// codeword, then −2·e as panels of a tile's columns, `[panel, D, columns]`.
private struct SearchableCodebook {
  let base: UnsafePointer<Float>
  let codewords: Int
  let width: Int

  /// The number of codewords, rounded up to whole panels. The padding is never chosen.
  static func padded(_ codewords: Int) -> Int {
    (codewords &+ RegisterTile.columns &- 1) / RegisterTile.columns &* RegisterTile.columns
  }

  static let header = 16

  var paddedCodewords: Int { Self.padded(codewords) }
  var largestNorm: Float { base[0] }
  var norms: UnsafePointer<Float> { base + Self.header }
  var panels: UnsafePointer<Float> { norms + paddedCodewords }
}

extension Module {
  /// Floats that ``packCodebook`` writes.
  package static func packedCodebookCount(codewords: Int, width: Int) -> Int {
    let rows = SearchableCodebook.padded(codewords)
    return SearchableCodebook.header + rows + (usesOpenBLAS ? 0 : rows * width)
  }

  /// Packs a codebook `[codewords, width]` into the form that ``nearestCodewords`` searches.
  ///
  /// A codeword whose squared norm is above 2¹²⁶, infinite or NaN gets a norm of NaN, so that its scores are
  /// NaN and fail every comparison.
  ///
  /// - Parameter packed: ``packedCodebookCount(codewords:width:)`` floats.
  package static func packCodebook(
    _ codebook: UnsafePointer<Float>, codewords: Int, width: Int,
    into packed: UnsafeMutablePointer<Float>
  ) {
    let norms = packed + SearchableCodebook.header
    let rows = SearchableCodebook.padded(codewords)
    norms.update(repeating: .nan, count: rows)
    var largest: Float = 0
    for k in 0..<codewords {
      let norm = Float(sumOfSquares(codebook + k &* width, count: width))
      guard norm <= largestSearchableNorm else { continue }
      norms[k] = norm
      largest = max(largest, norm)
    }
    packed.update(repeating: largest, count: SearchableCodebook.header)
    guard !usesOpenBLAS else { return }
    let panels = norms + rows
    panels.update(repeating: 0, count: rows &* width)
    for k in 0..<codewords {
      let (panel, column) = (k / RegisterTile.columns, k % RegisterTile.columns)
      let target = panels + panel &* width &* RegisterTile.columns + column
      for d in 0..<width { target[d &* RegisterTile.columns] = -2 * codebook[k &* width &+ d] }
    }
  }

  /// Floats of scratch memory that ``nearestCodewords`` needs, whatever the number of vectors.
  package static func nearestCodewordsWorkspaceCount(codewords: Int, width: Int) -> Int {
    RegisterTile.paddedRows(nearestCodewordsBlock) * SearchableCodebook.padded(codewords)
      + RegisterTile.rows * width
  }

  /// The nearest codeword of every vector, exactly.
  ///
  ///     codes[n] = argmin over k of ‖vectors[n] − codebook[k]‖², ties to the lowest k
  ///
  /// The search runs on the scores `‖e‖² − 2·z·e` in Float, block by block. A score has D products and a sum,
  /// so its error is at most `(D + 2)·2⁻²³·(‖e‖² + 2·‖z‖·‖e‖)`. Every codeword within twice that bound of the
  /// smallest score is compared again by `Σ (z − e)²` in Double, so a code depends neither on the order of the
  /// sums nor on cancellation.
  ///
  /// A vector whose squared norm is above 2¹²⁶, infinite or NaN gets ``invalidCode``; a codeword with such a
  /// norm is never chosen.
  ///
  /// - Parameters:
  ///   - vectors: `[count, width]`.
  ///   - codebook: `[codewords, width]`.
  ///   - packed: the same codebook, packed by ``packCodebook``.
  ///   - codes: `[count]`, overwritten.
  ///   - workspace: ``nearestCodewordsWorkspaceCount(codewords:width:)`` floats.
  package static func nearestCodewords(
    _ vectors: UnsafePointer<Float>, count: Int, codebook: UnsafePointer<Float>,
    packed: UnsafePointer<Float>, codewords: Int, width: Int,
    into codes: UnsafeMutablePointer<Int32>, workspace: UnsafeMutablePointer<Float>
  ) {
    let searchable = SearchableCodebook(base: packed, codewords: codewords, width: width)
    let scores = workspace + RegisterTile.rows &* width
    let unit = Float(width &+ 2) * 0x1p-23
    let stride = searchable.paddedCodewords
    for first in Swift.stride(from: 0, to: count, by: nearestCodewordsBlock) {
      let rows = min(nearestCodewordsBlock, count &- first)
      let block = vectors + first &* width
      if usesOpenBLAS {
        score(
          block, rows: rows, codebook: codebook, searchable, into: scores, workspace: workspace)
      } else {
        score(block, rows: rows, searchable, into: scores, scratch: workspace)
      }
      for n in 0..<rows {
        let vector = block + n &* width
        let norm = Float(sumOfSquares(vector, count: width))
        guard norm <= largestSearchableNorm else {
          codes[first &+ n] = invalidCode
          continue
        }
        let row = scores + n &* stride
        let smallest = minimum(row, count: stride)
        let size =
          searchable.largestNorm + 2 * norm.squareRoot() * searchable.largestNorm.squareRoot()
        // Below the normal numbers the error is no longer relative.
        let error = max(unit * size, .leastNormalMagnitude)
        codes[first &+ n] = nearest(
          vector, among: row, below: smallest + 2 * error, codebook: codebook, count: stride,
          width: width)
      }
    }
  }
}

/// `scores[n, k] = ‖e[k]‖² − 2·z[n]·e[k]` on register tiles.
private func score(
  _ vectors: UnsafePointer<Float>, rows: Int, _ codebook: SearchableCodebook,
  into scores: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  let width = codebook.width
  // Rows at the end that do not fill a tile are copied to where a whole tile can be read. The rows after them
  // may hold anything, because rows are independent.
  let whole = rows / RegisterTile.rows &* RegisterTile.rows
  if whole < rows {
    scratch.update(from: vectors + whole &* width, count: (rows &- whole) &* width)
  }
  for column in stride(from: 0, to: codebook.paddedCodewords, by: RegisterTile.columns) {
    for row in stride(from: 0, to: rows, by: RegisterTile.rows) {
      var tile = RegisterTile(startingWith: codebook.norms + column)
      tile.accumulate(
        row < whole ? vectors + row &* width : UnsafePointer(scratch), rowStride: width,
        stepStride: 1, codebook.panels + column &* width, bStride: RegisterTile.columns,
        count: width)
      tile.store(
        scores + row &* codebook.paddedCodewords + column, stride: codebook.paddedCodewords)
    }
  }
}

/// The same by OpenBLAS.
private func score(
  _ vectors: UnsafePointer<Float>, rows: Int, codebook: UnsafePointer<Float>,
  _ searchable: SearchableCodebook, into scores: UnsafeMutablePointer<Float>,
  workspace: UnsafeMutablePointer<Float>
) {
  let stride = searchable.paddedCodewords
  for n in 0..<rows { (scores + n &* stride).update(from: searchable.norms, count: stride) }
  Module.product(
    MatrixView(vectors, rows: rows, columns: searchable.width),
    MatrixView(codebook, rows: searchable.codewords, columns: searchable.width).transposed,
    factor: -2, into: scores, stride: stride, adds: true, workspace: workspace)
}

/// The smallest of `count` elements, a multiple of 16; NaN is ignored.
private func minimum(_ a: UnsafePointer<Float>, count: Int) -> Float {
  var lanes = Lanes(repeating: .infinity)
  for i in stride(from: 0, to: count, by: 16) {
    let x = Lanes(loading: a + i)
    lanes.replace(with: x, where: x .< lanes)
  }
  return lanes.min()
}

/// The codeword with the smallest exact distance among those whose score is at most `limit`.
///
/// - Parameter count: the number of scores, a multiple of 16.
private func nearest(
  _ vector: UnsafePointer<Float>, among scores: UnsafePointer<Float>, below limit: Float,
  codebook: UnsafePointer<Float>, count: Int, width: Int
) -> Int32 {
  var best = invalidCode
  var bestDistance = Double.infinity
  let limits = Lanes(repeating: limit)
  for first in stride(from: 0, to: count, by: 16) {
    guard any(Lanes(loading: scores + first) .<= limits) else { continue }
    for k in first..<(first &+ 16) where scores[k] <= limit {
      let distance = Module.sumOfSquaredDifferences(vector, codebook + k &* width, count: width)
      if distance < bestDistance {
        best = Int32(truncatingIfNeeded: k)
        bestDistance = distance
      }
    }
  }
  return best
}
