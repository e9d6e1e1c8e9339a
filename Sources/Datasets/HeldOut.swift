/// Evenly spaced numbers out of `0..<count`: the images that are held out for validation. They do not depend on
/// a seed, so runs with different seeds are validated on the same images.
package struct HeldOut {
  private let count: Int
  /// How many are held out.
  package let chosen: Int

  package init(count: Int, fraction: Double) {
    self.count = count
    chosen = Int((Double(count) * fraction).rounded())
  }

  func contains(_ i: Int) -> Bool {
    count > 0 && (i + 1) * chosen / count > i * chosen / count
  }
}
