extension Tensor {
  /// A random table `[K, D]` of rows of length 1 in which the rows 0..<D are orthogonal to each other, as are
  /// the rows D..<2D, and so on.
  ///
  /// Each group is the Q of the QR decomposition of a matrix of normal numbers, so it is a rotation without a
  /// preferred direction (Stewart 1980). It is computed by Gram and Schmidt's method in double precision,
  /// twice over, which makes rows orthogonal to rounding (Giraud et al. 2005). LAPACK would take other
  /// instructions on other processors, and the first bytes of a run must not depend on those.
  package init(orthogonalRows shape: Shape, generator: inout SeededGenerator) {
    precondition(shape.rank == 2, "a table is [K, D], not \(shape)")
    let width = shape[1]
    var rows: [[Double]] = []
    for k in 0..<shape[0] {
      let group = rows.suffix(k % width)
      while true {
        var row = (0..<width).map { _ in Double(generator.normal()) }
        for _ in 0..<2 {
          for other in group {
            let product = zip(row, other).reduce(0) { $0 + $1.0 * $1.1 }
            for i in 0..<width { row[i] -= product * other[i] }
          }
        }
        let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
        // A row that lies almost in the span of the others, which is very unlikely, would be mostly rounding.
        guard length > 1e-6 else { continue }
        rows.append(row.map { $0 / length })
        break
      }
    }
    self.init(shape, rows.flatMap { $0.map(Float.init) })
  }
}
