/// The results of `vqvae bench --scaling`: how the cost of training depends on the sizes of the work. Times are
/// in seconds, sizes in bytes.
package struct ScalingReport: Sendable, Encodable {
  /// What a step and an encoding cost with one configuration.
  package struct Cost: Sendable, Encodable {
    package let secondsPerStep: Timing
    /// The median step divided by the number of images.
    package let secondsPerStepAndImage: Double
    /// To compute the codes of one batch that is already in memory.
    package let secondsPerEncode: Timing
    package let secondsPerEncodeAndImage: Double
    /// Tensors at the peak: weights, their packed forms, moments, gradients and activations. Not the program,
    /// its libraries and the images as bytes.
    package let memoryBytes: Int
    /// Multiply-adds of a step by the definitions of convolutions and distances (see `ModelWork`).
    package let multiplyAddsPerStep: Int
  }

  /// One number for each cost.
  package struct Numbers: Sendable, Encodable {
    package let step: Double
    package let encode: Double
    package let memory: Double
    package let multiplyAdds: Double

    func map(_ transform: (Double) -> Double) -> Numbers {
      Numbers(
        step: transform(step), encode: transform(encode), memory: transform(memory),
        multiplyAdds: transform(multiplyAdds))
    }
  }

  /// The base configuration with another value of one field.
  package struct Row: Sendable, Encodable {
    /// The value of the field.
    package let value: Int
    /// What costs are compared with: the value, or its square if that is the number of pixels.
    package let size: Int
    package let cost: Cost
    /// The costs divided by those of the base configuration. Times are divided round by round; these are the
    /// medians.
    package let ratios: Numbers
    /// log(ratio) / log(size ratio): 1 if a cost is proportional to the size, 0 if it does not depend on it.
    /// Nil for the base configuration.
    @OrNull package var exponents: Numbers?
  }

  package struct Axis: Sendable, Encodable {
    package let title: String
    /// The field that is changed.
    package let field: String
    /// By ascending value; one of them is the base configuration.
    package let rows: [Row]
  }

  /// The kernels in use.
  package let kernelSet: String
  /// The base configuration on one line.
  package let base: String
  package let threads: Int
  package let rounds: Int
  /// How far the rounds differ: of every row, the highest median step time of a round minus the lowest,
  /// relative to the median of all; of these the median.
  package let spread: Double
  package let axes: [Axis]
  @OrNull package var verification: Verification?
}
