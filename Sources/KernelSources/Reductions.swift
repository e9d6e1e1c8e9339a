extension Module {
  /// `Σ (a[i] − b[i])²` in double precision, always in the same order.
  package static func sumOfSquaredDifferences(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int
  ) -> Double {
    var low = SIMD8<Double>.zero
    var high = SIMD8<Double>.zero
    var i = 0
    while i &+ 16 <= count {
      let x = Lanes(loading: a + i).asDoubles
      let y = Lanes(loading: b + i).asDoubles
      let first = x.0 - y.0
      let second = x.1 - y.1
      low += first * first
      high += second * second
      i &+= 16
    }
    var sum = (low + high).sum()
    while i < count {
      let difference = Double(a[i]) - Double(b[i])
      sum += difference * difference
      i &+= 1
    }
    return sum
  }

  /// `Σ a[i]²` in double precision, always in the same order.
  package static func sumOfSquares(_ a: UnsafePointer<Float>, count: Int) -> Double {
    var low = SIMD8<Double>.zero
    var high = SIMD8<Double>.zero
    var i = 0
    while i &+ 16 <= count {
      let x = Lanes(loading: a + i).asDoubles
      low += x.0 * x.0
      high += x.1 * x.1
      i &+= 16
    }
    var sum = (low + high).sum()
    while i < count {
      sum += Double(a[i]) * Double(a[i])
      i &+= 1
    }
    return sum
  }

  /// `Σ a[i]` in double precision, always in the same order.
  package static func sum(_ a: UnsafePointer<Float>, count: Int) -> Double {
    var low = SIMD8<Double>.zero
    var high = SIMD8<Double>.zero
    var i = 0
    while i &+ 16 <= count {
      let x = Lanes(loading: a + i).asDoubles
      low += x.0
      high += x.1
      i &+= 16
    }
    var total = (low + high).sum()
    while i < count {
      total += Double(a[i])
      i &+= 1
    }
    return total
  }

  /// Sums the rows of `matrix`: `sums[c] = Σ over r of matrix[r, c]`. Overwrites `sums`.
  ///
  /// This is the gradient of a bias that was added to every row.
  ///
  /// - Parameters:
  ///   - matrix: `[rows, columns]`.
  ///   - sums: `[columns]`.
  package static func sumOfRows(
    _ matrix: UnsafePointer<Float>, rows: Int, columns: Int, into sums: UnsafeMutablePointer<Float>
  ) {
    var c = 0
    while c &+ 16 <= columns {
      var total = Lanes.zero
      var row = matrix + c
      for _ in 0..<rows {
        total += Lanes(loading: row)
        row += columns
      }
      total.store(sums + c)
      c &+= 16
    }
    while c < columns {
      var total: Float = 0
      for r in 0..<rows { total += matrix[r &* columns &+ c] }
      sums[c] = total
      c &+= 1
    }
  }

  /// Whether all elements are finite; with `squared`, whether their squares are finite too.
  package static func allFinite(_ a: UnsafePointer<Float>, count: Int, squared: Bool) -> Bool {
    squared ? isFinite(a, count: count) { $0 * $0 } : isFinite(a, count: count) { $0 }
  }
}

@inline(__always)
private func isFinite(
  _ a: UnsafePointer<Float>, count: Int, _ of: (Lanes) -> Lanes
) -> Bool {
  // x − x is 0 for a finite x and NaN otherwise, and a sum with a NaN in it is a NaN.
  var lanes = Lanes.zero
  var i = 0
  while i &+ 16 <= count {
    let x = of(Lanes(loading: a + i))
    lanes += x - x
    i &+= 16
  }
  var sum = lanes.sum()
  while i < count {
    let x = of(Lanes(repeating: a[i]))[0]
    sum += x - x
    i &+= 1
  }
  return sum == 0
}
