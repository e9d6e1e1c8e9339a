import KernelTypes

extension Module {
  /// `result[n] = table[indices[n]]`; a row whose index is ``invalidCode`` becomes NaN.
  ///
  /// - Parameters:
  ///   - table: `[K, width]`.
  ///   - indices: `[count]`, each −1 or in `0..<K`.
  ///   - result: `[count, width]`, overwritten.
  package static func gatherRows(
    _ table: UnsafePointer<Float>, indices: UnsafePointer<Int32>, count: Int, width: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    for n in 0..<count {
      let row = result + n &* width
      if indices[n] == invalidCode {
        row.update(repeating: .nan, count: width)
      } else {
        row.update(from: table + Int(indices[n]) &* width, count: width)
      }
    }
  }

  /// `table[indices[n]] += rows[n]` for n in ascending order; an ``invalidCode`` adds nothing.
  ///
  /// Rows of equal index accumulate; an assignment would keep only the last one.
  ///
  /// - Parameters:
  ///   - rows: `[count, width]`.
  ///   - indices: `[count]`, each −1 or in `0..<K`.
  ///   - table: `[K, width]`, added to.
  package static func scatterAddRows(
    _ rows: UnsafePointer<Float>, indices: UnsafePointer<Int32>, count: Int, width: Int,
    into table: UnsafeMutablePointer<Float>
  ) {
    for n in 0..<count where indices[n] != invalidCode {
      let target = table + Int(indices[n]) &* width
      add(target, rows + n &* width, count: width, into: target)
    }
  }

  /// `counts[indices[n]] += 1`; an ``invalidCode`` is not counted.
  package static func countIndices(
    _ indices: UnsafePointer<Int32>, count: Int, into counts: UnsafeMutablePointer<Float>
  ) {
    for n in 0..<count where indices[n] != invalidCode { counts[Int(indices[n])] += 1 }
  }
}
