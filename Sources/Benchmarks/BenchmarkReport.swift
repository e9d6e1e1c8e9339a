/// A value that is null in JSON where it was not measured; without this its key would be missing.
@propertyWrapper
package struct OrNull<Value: Encodable & Sendable>: Encodable, Sendable {
  package var wrappedValue: Value?

  package init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
  }
}

/// What `vqvae bench` found: times in seconds, sizes in bytes, speeds of arithmetic in GFLOP/s.
package struct BenchmarkReport: Sendable, Encodable {
  /// The parts of a step, as medians over the measured steps.
  package struct Split: Sendable, Encodable {
    /// Of the time that the threads spent in them, divided by the threads at work (see `StepParts`).
    package let data: Double
    package let forward: Double
    package let quantizer: Double
    /// The rest: the losses, the gradients, adding up shards, and waiting for the last one.
    package let backward: Double
    /// Measured by itself, on gradients like the model's: the check that they are finite, Adam, and
    /// the moving averages where they make the codebook.
    package let optimizer: Double
  }

  package let batch: Int
  package let threads: Int
  /// How many steps were measured.
  package let steps: Int
  package let secondsPerStep: Timing
  package let split: Split
  /// At the median.
  package let imagesPerSecond: Double
  /// Codes of one batch that is in memory.
  package let secondsPerEncode: Timing
  package let encodeImagesPerSecond: Double
  /// The best of all products, and the best of each time that they were measured, to show drift.
  @OrNull package var sgemmPeakOneThread: Double?
  @OrNull package var sgemmPeak: Double?
  @OrNull package var sgemmPeakMedian: Double?
  @OrNull package var sgemmPeakRounds: [Double]?
  package let blasCore: String
  /// Of the convolutions by their definition and of the distances (see `ModelWork`).
  package let flopPerStep: Int
  /// `flopPerStep` over the median step, of `sgemmPeak`.
  @OrNull package var fractionOfPeak: Double?
  /// From the start of the process to the end of its first training step.
  @OrNull package var firstStepSeconds: Double?
  /// The most memory of the process in training, before anything was verified: what it had allocated,
  /// seen after each step; and everything.
  @OrNull package var peakAnonymousBytes: Int?
  @OrNull package var peakResidentBytes: Int?
  /// The mean over the measured steps.
  package let pageFaultsPerStep: Double
  /// By how much of what was allocated after the first measured step it had grown after the last.
  @OrNull package var anonymousGrowth: Double?
  @OrNull package var verification: Verification?
  /// nil, and no key, where they were not asked for.
  package let kernels: [KernelReport]?
}
