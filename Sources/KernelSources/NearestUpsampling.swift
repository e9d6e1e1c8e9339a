extension Module {
  /// Nearest-neighbour upsampling by two: every pixel becomes four.
  ///
  /// - Parameters:
  ///   - images: `[count, height, width, channels]`.
  ///   - result: `[count, 2·height, 2·width, channels]`, overwritten.
  package static func upsampleNearest(
    _ images: UnsafePointer<Float>, count: Int, height: Int, width: Int, channels: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    let row = width &* channels
    for y in 0..<(count &* height) {
      let source = images + y &* row
      let upper = result + 4 &* y &* row
      for x in 0..<width {
        let pixel = source + x &* channels
        (upper + 2 &* x &* channels).update(from: pixel, count: channels)
        (upper + (2 &* x &+ 1) &* channels).update(from: pixel, count: channels)
      }
      (upper + 2 &* row).update(from: upper, count: 2 &* row)
    }
  }

  /// The gradient of ``upsampleNearest``: the sum over the four pixels that each pixel became.
  ///
  /// - Parameters:
  ///   - gradient: `[count, 2·height, 2·width, channels]`.
  ///   - result: `[count, height, width, channels]`, overwritten.
  package static func upsampleNearestBackward(
    _ gradient: UnsafePointer<Float>, count: Int, height: Int, width: Int, channels: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    let row = width &* channels
    for y in 0..<(count &* height) {
      let upper = gradient + 4 &* y &* row
      let lower = upper + 2 &* row
      for x in 0..<width {
        let (left, right) = (2 &* x &* channels, (2 &* x &+ 1) &* channels)
        for c in 0..<channels {
          result[y &* row &+ x &* channels &+ c] =
            (upper[left &+ c] + upper[right &+ c]) + (lower[left &+ c] + lower[right &+ c])
        }
      }
    }
  }
}
