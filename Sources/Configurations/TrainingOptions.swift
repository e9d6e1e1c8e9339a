import Autoencoders
import NN
import Options
import Tensors

/// The section `training`: the optimizer, the loss, and the length and intervals of a run.
package struct TrainingOptions: FieldOptions, Equatable {
  package var steps = 10_000
  package var batchSize = 32
  /// Images per shard. If nil, the batch size determines it (see `Shards`).
  package var shardImages: Int?
  package var learningRate = 3e-4
  package var schedule = LearningRate.Schedule.constant
  package var warmupSteps = 0
  package var finalLearningRate = 0.0
  package var weightDecay = 0.0
  /// If nil, gradients are not clipped.
  package var clipNorm: Double?
  package var reconstruction = Objective.Reconstruction.nmse
  package var reduction = Objective.Reduction.mean
  package var convolution = ConvolutionMethod.auto
  /// If nil, the fastest for the processor.
  package var kernels: KernelSet?
  /// If nil, the number of processors that the process may use.
  package var threads: Int?
  /// Steps between checkpoints; 0 means only at the end, also for `validateEvery`.
  package var checkpointEvery = 1000
  package var validateEvery = 1000
  package var logEvery = 100

  package init() {}

  package static var fields: [Field<Self>] {
    [
      .integer("steps", \.steps, 1...1_000_000_000, "optimizer steps")
        // The learning rate depends on the number of steps only with the cosine schedule.
        .scoped { $0.schedule == .cosine ? .experiment : .runtime },
      .integer("batch_size", \.batchSize, 1...65_536, "images in a step"),
      .optionalInteger(
        "shard_images", \.shardImages, 1...1024,
        "images per shard, the task of a thread; by default 8 to 32, so that batches from 64 on have at least eight"
      ),
      .number("learning_rate", \.learningRate, 1e-12..<1e12, "Adam's peak learning rate"),
      .choice("schedule", \.schedule, "the learning rate after the warm-up"),
      .integer(
        "warmup_steps", \.warmupSteps, 0...1_000_000_000,
        "steps in which the learning rate rises"),
      .number(
        "final_learning_rate", \.finalLearningRate, 0..<1e12,
        "the learning rate at the end of the cosine schedule"),
      .number(
        "weight_decay", \.weightDecay, 0..<1e6,
        "AdamW's λ, for all trained parameters; 0: Adam"),
      .optionalNumber(
        "clip_norm", \.clipNorm, 1e-12..<1e12,
        "the largest gradient norm; by default gradients are not clipped"),
      .choice(
        "reconstruction", \.reconstruction,
        "the squared error divided by the variance of the images, or not"),
      .choice(
        "reduction", \.reduction,
        "the mean loss, or the mean times the batch size"),
      .choice(
        "convolution", \.convolution,
        "how: the fastest for each shape, no Winograd, or the reference"),
      .optionalChoice(
        "kernels", \.kernels,
        "compiled for which instructions, or OpenBLAS; by default the fastest for the processor",
        .runtime),
      .optionalInteger(
        "threads", \.threads, 1...1024, "worker threads; by default the processors allowed",
        .runtime),
      .integer(
        "checkpoint_every", \.checkpointEvery, 0...1_000_000_000,
        "steps between checkpoints; 0: only at the end", .runtime),
      .integer(
        "validate_every", \.validateEvery, 0...1_000_000_000,
        "steps between validations; 0: only at the end", .runtime),
      .integer(
        "log_every", \.logEvery, 1...1_000_000_000,
        "steps between progress lines if not on a terminal", .runtime),
    ]
  }

  /// Faults that involve several fields.
  ///
  /// - Parameter knowsSteps: whether `steps` is that of a run. A checkpoint omits it if the learning rate
  ///   does not depend on it.
  func faults(knowsSteps: Bool) -> [FieldFault] {
    var faults: [FieldFault] = []
    if kernels == .openblas, convolution == .direct {
      faults.append(
        FieldFault(
          ["convolution"],
          "expected auto or im2col with training.kernels openblas, which has no others, found direct"
        ))
    }
    if schedule == .cosine {
      if warmupSteps >= steps {
        faults.append(
          FieldFault(
            ["warmup_steps"],
            "expected fewer than training.steps (\(steps)) with training.schedule cosine, "
              + "found \(warmupSteps)"))
      }
      if finalLearningRate > learningRate {
        faults.append(
          FieldFault(
            ["final_learning_rate"],
            "expected at most training.learning_rate (\(learningRate)), "
              + "found \(finalLearningRate)"))
      }
    } else {
      if finalLearningRate > 0 {
        faults.append(
          FieldFault(
            ["final_learning_rate"],
            "expected 0 with training.schedule constant, found \(finalLearningRate)"))
      }
      if knowsSteps, warmupSteps > steps {
        faults.append(
          FieldFault(
            ["warmup_steps"],
            "expected at most training.steps (\(steps)), in which the learning rate has to get "
              + "to its height, found \(warmupSteps)"))
      }
    }
    // A step subtracts learningRate · λ times the parameter: at 1 all of it, above 1 the sign would flip.
    if learningRate * weightDecay >= 1 {
      faults.append(
        FieldFault(
          ["weight_decay"],
          "expected less than 1 over training.learning_rate (\(learningRate)), "
            + "found \(weightDecay)"))
    }
    return faults
  }
}
