extension Module {
  /// The exact sums of bytes and of their squares.
  ///
  /// Sums of integers depend neither on their order nor on how the bytes are split.
  ///
  /// - Precondition: `count` is below 66,051, or a partial sum of squares could overflow.
  package static func pixelMoments(
    _ bytes: UnsafePointer<UInt8>, count: Int
  ) -> (sum: UInt32, squares: UInt32) {
    var sum: UInt32 = 0
    var squares: UInt32 = 0
    for i in 0..<count {
      let x = UInt32(bytes[i])
      sum &+= x
      squares &+= x &* x
    }
    return (sum, squares)
  }
}
