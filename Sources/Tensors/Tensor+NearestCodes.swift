import Kernels

/// How the nearest codeword is found. Both give the same codes, because near-ties are decided by the
/// definition.
package enum NearestSearch: String, CaseIterable, Sendable {
  /// By matrix products, as in PyTorch's `addmm`; near-ties by `exact` (see `nearestCodewords`).
  case addmm
  /// `Σ (z − e)²` in double precision for every vector and codeword: the definition, and slow.
  case exact
}

/// `self` is a codebook here: `[K, D]`.
extension Tensor {
  /// The nearest codeword of every vector, ties to the lowest index.
  ///
  /// - Parameter vectors: `[…, D]`.
  /// - Returns: codes of shape `[…]`.
  package func nearestCodes(to vectors: Tensor, by form: NearestSearch = .addmm) -> Codes {
    requireCodebook(for: vectors.shape)
    let (codewords, width) = (shape[0], shape[1])
    let count = vectors.shape.rows
    // `.exact` ignores the packed form.
    let packed = form == .addmm ? packed(.codebook) : self
    let indices = [Int32](unsafeUninitializedCapacity: count) { codes, initialized in
      initialized = count
      guard let base = codes.baseAddress else { return }
      withPointers(vectors, self, packed) { vectors, codebook, packed in
        switch form {
        case .addmm:
          withWorkspace(kernels.nearestCodewordsWorkspaceCount(codewords: codewords, width: width))
          {
            kernels.nearestCodewords(
              vectors, count: count, codebook: codebook, packed: packed, codewords: codewords,
              width: width, into: base, workspace: $0)
          }
        case .exact:
          kernels.nearestCodewordsByDefinition(
            vectors, count: count, codebook: codebook, codewords: codewords, width: width,
            into: base)
        }
      }
    }
    return Codes(Shape(vectors.shape.extents.dropLast()), indices)
  }

  /// The squared distance of every vector to every codeword, in the `addmm` form.
  ///
  /// - Parameter vectors: `[N, D]`.
  /// - Returns: `[N, K]`.
  package func squaredDistances(to vectors: Tensor) -> Tensor {
    requireCodebook(for: vectors.shape)
    let rows = vectors.shape.rows
    return Tensor([rows, shape[0]]) { distances in
      withPointers(vectors, self) { vectors, codebook in
        withWorkspace(kernels.productWorkspaceCount(inner: shape[1])) {
          kernels.squaredDistances(
            vectors, count: rows, codebook: codebook, codewords: shape[0], width: shape[1],
            into: distances, workspace: $0)
        }
      }
    }
  }

  private func requireCodebook(for vectors: Shape) {
    precondition(shape.rank == 2, "a codebook is [K, D], not \(shape)")
    precondition(
      vectors.rank >= 1 && vectors.width == shape[1],
      "vectors of shape \(vectors) do not fit a codebook of shape \(shape)")
  }
}
