/// Group normalisation (Wu and He 2018), optionally followed by SiLU.
///
///     x̂ = (x − mean) / √(variance + ε)       mean and variance of the image's group of channels
///     u = weight · x̂ + bias                  a weight and a bias for each channel
///     y = u, or SiLU(u) = u · σ(u)
///
/// The variance is the mean of the squared deviations: it divides by n, not n − 1. An image's result depends
/// on no other image. SiLU and its gradient are computed in the same pass as the rest.
package struct GroupNormalization: Hashable, Sendable {
  /// Pixels of an image.
  package let positions: Int
  package let channels: Int
  package let groups: Int
  package let epsilon: Double
  package let silu: Bool

  /// - Parameter silu: whether SiLU follows.
  package init(
    positions: Int, channels: Int, groups: Int, epsilon: Double, silu: Bool
  ) {
    self.positions = positions
    self.channels = channels
    self.groups = groups
    self.epsilon = epsilon
    self.silu = silu
  }

  /// Floats of the moments of one image: the means of its groups, then their `1 / √(variance + ε)`.
  package var momentCount: Int { 2 * groups }

  /// Floats of scratch memory.
  package var workspaceCount: Int { 4 * paddedChannels }

  /// Channels, rounded up to whole vectors of 16.
  package var paddedChannels: Int { (channels + 15) / 16 * 16 }
}
