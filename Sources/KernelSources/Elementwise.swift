extension Module {
  /// `result[i] = a[i] + b[i]`. `result` may be `a` or `b`.
  package static func add(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count { result[i] = a[i] + b[i] }
  }

  /// `result[i] = a[i] − b[i]`. `result` may be `a` or `b`.
  package static func subtract(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count { result[i] = a[i] - b[i] }
  }

  /// `result[i] = factor·a[i]`. `result` may be `a`.
  package static func scale(
    _ a: UnsafePointer<Float>, by factor: Float, count: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count { result[i] = factor * a[i] }
  }

  /// `result[i] = factor·(a[i] − b[i])`, the gradient of a squared difference.
  package static func scaledDifference(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, factor: Float, count: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count { result[i] = factor * (a[i] - b[i]) }
  }

  /// `result[i] = max(a[i], 0)`; NaN stays NaN. `result` may be `a`.
  package static func relu(
    _ a: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count { result[i] = a[i] < 0 ? 0 : a[i] }
  }

  /// `gradient[i]` where `output[i] > 0`, else 0: ReLU's gradient, in place.
  ///
  /// The output can be tested instead of the input: both are positive at the same places.
  package static func reluBackward(
    _ gradient: UnsafeMutablePointer<Float>, output: UnsafePointer<Float>, count: Int
  ) {
    for i in 0..<count { gradient[i] = output[i] > 0 ? gradient[i] : 0 }
  }

  /// `result[i]` = the integer nearest to `a[i]`, halves to even. `result` may be `a`.
  package static func round(
    _ a: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count { result[i] = a[i].rounded(.toNearestOrEven) }
  }

  /// Sets every row of `matrix` to `row`.
  ///
  /// - Parameters:
  ///   - row: `[columns]`.
  ///   - matrix: `[rows, columns]`.
  package static func broadcastRow(
    _ row: UnsafePointer<Float>, rows: Int, columns: Int, into matrix: UnsafeMutablePointer<Float>
  ) {
    for r in 0..<rows { (matrix + r &* columns).update(from: row, count: columns) }
  }

  /// Converts bytes 0…255 to floats −0.5…0.5: `result[i] = bytes[i] / 255 − 0.5`.
  package static func pixelsFromBytes(
    _ bytes: UnsafePointer<UInt8>, count: Int, into result: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count { result[i] = Float(bytes[i]) / 255 - 0.5 }
  }

  /// Converts floats −0.5…0.5 to bytes 0…255: rounded to the nearest and clamped; NaN becomes 0.
  package static func bytesFromPixels(
    _ pixels: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<UInt8>
  ) {
    for i in 0..<count {
      let value = ((pixels[i] + 0.5) * 255).rounded(.toNearestOrEven)
      result[i] = value > 0 ? UInt8(min(value, 255)) : 0
    }
  }

  /// `result[i]` = `a[i]` clamped to `low…high`. `result` may be `a`.
  package static func clamp(
    _ a: UnsafePointer<Float>, low: Float, high: Float, count: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count { result[i] = a[i] < low ? low : (a[i] > high ? high : a[i]) }
  }
}
