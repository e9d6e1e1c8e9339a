import NN

extension Configuration {
  /// Adam's options in a step.
  func adam(step: Int) -> Adam.Options {
    Adam.Options(learningRate: learningRate(step: step), weightDecay: training.weightDecay)
  }

  var learningRate: LearningRate {
    var rate = LearningRate(peak: training.learningRate, steps: training.steps)
    rate.schedule = training.schedule
    rate.end = training.finalLearningRate
    rate.warmupSteps = training.warmupSteps
    return rate
  }

  /// nil where gradients are not clipped.
  var clipping: GradientClipping? { training.clipNorm.map(GradientClipping.init(limit:)) }

  /// What is wrong with the fields of the optimizer together, and the key at which it is said.
  ///
  /// - Parameter knowsSteps: whether `training.steps` is that of a run.
  func optimizerFaults(knowsSteps: Bool) -> [(key: String, message: String)] {
    var faults: [(String, String)] = []
    if training.schedule == .cosine {
      if training.warmupSteps >= training.steps {
        faults.append(
          (
            "training.warmup_steps",
            "expected fewer than training.steps (\(training.steps)) with training.schedule cosine, "
              + "found \(training.warmupSteps)"
          ))
      }
      if training.finalLearningRate > training.learningRate {
        faults.append(
          (
            "training.final_learning_rate",
            "expected at most training.learning_rate (\(training.learningRate)), "
              + "found \(training.finalLearningRate)"
          ))
      }
    } else {
      if training.finalLearningRate > 0 {
        faults.append(
          (
            "training.final_learning_rate",
            "expected 0 with training.schedule constant, found \(training.finalLearningRate)"
          ))
      }
      if knowsSteps, training.warmupSteps > training.steps {
        faults.append(
          (
            "training.warmup_steps",
            "expected at most training.steps (\(training.steps)), in which the learning rate has to get "
              + "to its height, found \(training.warmupSteps)"
          ))
      }
    }
    // At 1 a step would take all of a parameter away, and above it would turn its sign.
    if training.learningRate * training.weightDecay >= 1 {
      faults.append(
        (
          "training.weight_decay",
          "expected less than 1 over training.learning_rate (\(training.learningRate)), "
            + "found \(training.weightDecay)"
        ))
    }
    return faults
  }
}
