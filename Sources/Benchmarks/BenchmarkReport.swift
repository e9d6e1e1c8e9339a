/// A value that is null in JSON if it was not measured; without this wrapper its key would be missing.
@propertyWrapper
package struct OrNull<Value: Encodable & Sendable>: Encodable, Sendable {
  package var wrappedValue: Value?

  package init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
  }
}

/// The results of `vqvae bench`: times in seconds, sizes in bytes, arithmetic speeds in GFLOP/s.
package struct BenchmarkReport: Sendable, Encodable {
  /// The parts of a step, as medians over the measured steps.
  package struct Split: Sendable, Encodable {
    /// `data`, `forward` and `quantizer` are the time that all threads spent there, divided by the number of
    /// threads with work (see `StepParts`).
    package let data: Double
    package let forward: Double
    package let quantizer: Double
    /// The rest of the step: the loss, the gradients, the sum over shards, and waiting for the last shard.
    package let backward: Double
    /// Measured separately, on random gradients with the model's shapes: the check that they are finite,
    /// Adam, and the update of a codebook of moving averages.
    package let optimizer: Double
  }

  /// The kernels in use.
  package let kernelSet: String
  package let batch: Int
  package let threads: Int
  /// The number of measured steps.
  package let steps: Int
  package let secondsPerStep: Timing
  package let split: Split
  /// At the median step time.
  package let imagesPerSecond: Double
  /// Seconds to compute the codes of one batch that is already in memory.
  package let secondsPerEncode: Timing
  package let encodeImagesPerSecond: Double
  /// The best matrix product on one thread.
  @OrNull package var sgemmPeakOneThread: Double?
  /// The best and the median of the products on all threads, and the best of each round, to show drift.
  @OrNull package var sgemmPeak: Double?
  @OrNull package var sgemmPeakMedian: Double?
  @OrNull package var sgemmPeakRounds: [Double]?
  /// The core that OpenBLAS's matrix products are for.
  package let blasCore: String
  /// The FLOP of the convolutions by their definition, and of the distances (see `ModelWork`).
  package let flopPerStep: Int
  /// `flopPerStep` divided by the median step time, as a fraction of `sgemmPeak`.
  @OrNull package var fractionOfPeak: Double?
  /// From the start of the process to the end of its first training step.
  @OrNull package var firstStepSeconds: Double?
  /// The peak memory of the process in training, before the verification: anonymous memory as seen after
  /// each step, and all resident memory.
  @OrNull package var peakAnonymousBytes: Int?
  @OrNull package var peakResidentBytes: Int?
  /// The mean over the measured steps.
  package let pageFaultsPerStep: Double
  /// The growth of anonymous memory over the measured steps, as a fraction of that after the first of them.
  @OrNull package var anonymousGrowth: Double?
  @OrNull package var verification: Verification?
  /// Nil, without a key in JSON, if they were not requested.
  package let kernels: [KernelReport]?
}
