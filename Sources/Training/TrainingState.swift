import Autograd
import Configurations
import Datasets
import Diagnostics
import Files
import NN
import Runtime
import Tensors
import VectorQuantization

/// What fixes the course of a run besides its state.
package struct Experiment: Sendable {
  package let configuration: Configuration
  /// May be replaced by one that computes the same, to measure it.
  package var model: VQVAE
  package let imageHeight: Int
  package let imageWidth: Int
  /// How many images are trained on, and the variance of their pixels.
  package let trainingImages: Int
  package let variance: Double
  /// Of the data set that is trained on (see ``Dataset/fingerprint``); nil if a checkpoint does not say.
  package let fingerprint: String?

  package init(
    _ configuration: Configuration, imageHeight: Int, imageWidth: Int, trainingImages: Int,
    variance: Double, fingerprint: String? = nil
  ) {
    self.configuration = configuration
    model = configuration.model(imageHeight: imageHeight, imageWidth: imageWidth)
    self.imageHeight = imageHeight
    self.imageWidth = imageWidth
    self.trainingImages = trainingImages
    self.variance = variance
    self.fingerprint = fingerprint
  }

  /// The most bits that a model's codes carry for each number of an image. Models are alike in what they
  /// can keep where this is alike.
  package var bitsPerDimension: Double {
    model.codeBits / Double(imageHeight * imageWidth * 3)
  }

  /// Opens the data of an experiment, after a check that there is memory for both.
  package static func open(_ configuration: Configuration) throws -> (Experiment, Dataset) {
    try MemoryNeed(training: configuration).check()
    let dataset = try configuration.dataset()
    return (try Experiment(configuration, dataset), dataset)
  }

  /// Throws where the architecture cannot take the data set's images.
  package init(_ configuration: Configuration, _ dataset: Dataset) throws {
    try configuration.check(
      imageHeight: dataset.train.height, imageWidth: dataset.train.width)
    self.init(
      configuration, imageHeight: dataset.train.height, imageWidth: dataset.train.width,
      trainingImages: dataset.train.count, variance: dataset.variance,
      fingerprint: dataset.fingerprint)
  }
}

/// What changes while a run goes on, and all of it: a run that starts from a saved state takes the
/// same course, byte for byte, as one that never stopped.
package struct TrainingState: Sendable {
  /// How many steps have been made.
  package private(set) var step = 0
  package private(set) var values: ParameterValues
  package private(set) var optimizer: Adam
  /// The least validation NMSE so far.
  package internal(set) var bestNMSE: Double?
  /// The last step after which the model was validated.
  package internal(set) var validatedStep: Int?

  /// The start of a run.
  package init(_ experiment: Experiment) {
    let parameters = experiment.model.parameters
    values = ParameterValues(startOf: parameters, seed: experiment.configuration.seed)
    optimizer = Adam(parameters, options: experiment.configuration.adam)
  }

  /// The start of a run from the weights of another. Moments begin at zero, and so does the step.
  ///
  /// - Parameters:
  ///   - weights: the other model's values, by parameter.
  ///   - path: where they come from, for errors.
  init(_ experiment: Experiment, weights: Checkpoint, path: String) throws {
    self.init(experiment)
    let theirs = Dictionary(
      uniqueKeysWithValues: weights.experiment.model.parameters.map { ($0.name, $0) })
    for parameter in experiment.model.parameters {
      // Averages that the other run did not keep begin as in a new run.
      if parameter.isTrainingState, theirs[parameter.name] == nil { continue }
      guard let other = theirs[parameter.name], other.shape == parameter.shape else {
        let shape =
          theirs[parameter.name].map { "has the shape \($0.shape.extents)" } ?? "is missing"
        throw Problem(
          .badData, path, found: "the tensor \(parameter.name) \(shape)",
          expected: "\(parameter.shape.extents), for the model of the configuration")
      }
      values[parameter] = weights.state.values[other]
    }
    for quantizer in experiment.model.quantizers {
      guard case .movingAverage(let average) = quantizer.learning else { continue }
      average.startIfEmpty(&values, codebook: quantizer.codebook)
    }
  }

  /// What must not be saved: the first tensor with an element that is not finite, or negative where that
  /// cannot be; nil if the state is valid.
  func fault(in parameters: [Parameter]) -> String? {
    func fault(_ name: String, _ tensor: Tensor, isNonnegative: Bool) -> String? {
      if !tensor.isFinite { return "the tensor \(name) has an element that is not finite" }
      return isNonnegative && !tensor.isNonnegative
        ? "the tensor \(name) has a negative element" : nil
    }
    for parameter in parameters {
      let name = parameter.name
      if let found = fault(name, values[parameter], isNonnegative: parameter.isNonnegative) {
        return found
      }
      guard parameter.role == .trained else { continue }
      if let found = fault(
        "first moment of \(name)", optimizer.firstMoments[parameter], isNonnegative: false)
        ?? fault(
          "second moment of \(name)", optimizer.secondMoments[parameter], isNonnegative: true)
      {
        return found
      }
    }
    return nil
  }

  /// A saved state.
  init(
    step: Int, values: ParameterValues, optimizer: Adam, bestNMSE: Double?, validatedStep: Int?
  ) {
    self.step = step
    self.values = values
    self.optimizer = optimizer
    self.bestNMSE = bestNMSE
    self.validatedStep = validatedStep
  }

  /// Makes one step; nil, and nothing is changed, where a number was not finite.
  ///
  /// - Parameter positions: the batch, as positions in the split.
  package mutating func advance(
    on positions: [Int], of split: ImageSplit, in experiment: Experiment, pool: WorkerPool
  ) throws -> StepMetrics? {
    let batch = try BatchGradients(
      positions: positions, of: split, model: experiment.model, values: values,
      variance: experiment.variance, seed: experiment.configuration.seed, step: step + 1,
      pool: pool)
    guard batch.isFinite else { return nil }
    step += 1
    var metrics = batch.metrics
    let configuration = experiment.configuration
    var scale = 1.0
    if let clipping = configuration.clipping {
      let norm = GradientClipping.norm(
        of: batch.gradients, experiment.model.parameters, pool: pool)
      scale = clipping.scale(norm: norm)
      metrics.gradientNorm = norm
    }
    optimizer.options.learningRate = configuration.learningRate(step: step)
    metrics.learningRate = optimizer.options.learningRate
    optimizer.update(
      &values, gradients: batch.gradients, scale: scale, step: step, pool: pool)
    for (quantizer, statistics) in zip(experiment.model.quantizers, batch.statistics) {
      guard case .movingAverage(let average) = quantizer.learning, let statistics else { continue }
      average.update(&values, codebook: quantizer.codebook, with: statistics, step: step)
    }
    return metrics
  }
}
