import Configurations
import NN

extension Configuration {
  /// Adam's options for a step.
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

  /// Nil if gradients are not clipped.
  var clipping: GradientClipping? { training.clipNorm.map(GradientClipping.init(limit:)) }
}
