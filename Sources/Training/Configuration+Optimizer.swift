import Configurations
import NN

extension Configuration {
  /// The options of Adam, with the learning rate of the first step.
  var adam: Adam.Options {
    Adam.Options(learningRate: learningRate(step: 1), weightDecay: training.weightDecay)
  }

  var learningRate: LearningRate {
    var rate = LearningRate(peak: training.learningRate, steps: training.steps)
    rate.schedule = training.schedule
    rate.end = training.finalLearningRate
    rate.warmupSteps = training.warmupSteps
    return rate
  }

  /// nil if gradients are not clipped.
  var clipping: GradientClipping? { training.clipNorm.map(GradientClipping.init(limit:)) }
}
