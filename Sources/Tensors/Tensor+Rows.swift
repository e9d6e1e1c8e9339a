import Kernels

/// `self` is a table of rows here, such as a codebook or an embedding: `[K, D]`.
extension Tensor {
  /// The rows at the given codes: `[…]` becomes `[…, D]`. An invalid code gives a row of NaN.
  package func rows(at codes: Codes) -> Tensor {
    requireIndices(codes)
    return Tensor(Shape(codes.shape.extents + [shape[1]])) { target in
      withUnsafePointer { table in
        codes.indices.withUnsafeBufferPointer { indices in
          guard let base = indices.baseAddress else { return }
          kernels.gatherRows(
            table, indices: base, count: indices.count, width: shape[1], into: target)
        }
      }
    }
  }

  /// Adds each row of `rows` to the row at its code; rows of equal code accumulate.
  ///
  /// - Parameter rows: `[…, D]`. Only the first `codes.count` rows are used.
  package mutating func scatterAdd(_ rows: Tensor, at codes: Codes) {
    requireIndices(codes)
    precondition(
      rows.shape.width == shape[1] && rows.shape.rows >= codes.count,
      "rows of shape \(rows.shape) do not go to \(codes.count) codes of width \(shape[1])")
    let width = shape[1]
    withUnsafeMutablePointer { table in
      rows.withUnsafePointer { rows in
        codes.indices.withUnsafeBufferPointer { indices in
          guard let base = indices.baseAddress else { return }
          kernels.scatterAddRows(
            rows, indices: base, count: indices.count, width: width, into: table)
        }
      }
    }
  }

  private func requireIndices(_ codes: Codes) {
    precondition(shape.rank == 2, "a table is [rows, width], not \(shape)")
    let limit = Int32(shape[0])
    precondition(
      codes.indices.allSatisfy { $0 >= Codes.invalid && $0 < limit },
      "a code lies outside 0..<\(limit)")
  }
}
