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
    model = configuration.model(
      imageHeight: imageHeight, imageWidth: imageWidth, variance: variance)
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
  package private(set) var model: ModelState
  /// The least validation NMSE so far.
  package internal(set) var bestNMSE: Double?
  /// The last step after which the model was validated.
  package internal(set) var validatedStep: Int?

  /// The start of a run.
  package init(_ experiment: Experiment) {
    model = ModelState(
      startOf: experiment.model.parameters, seed: experiment.configuration.seed)
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
      model.values[parameter] = weights.state.values[other]
    }
    for quantizer in experiment.model.quantizers { quantizer.adoptCodebook(&model) }
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
        "first moment of \(name)", model.firstMoments[parameter], isNonnegative: false)
        ?? fault(
          "second moment of \(name)", model.secondMoments[parameter], isNonnegative: true)
      {
        return found
      }
    }
    return nil
  }

  /// A saved state.
  init(
    step: Int, model: ModelState, bestNMSE: Double?, validatedStep: Int?
  ) {
    self.step = step
    self.model = model
    self.bestNMSE = bestNMSE
    self.validatedStep = validatedStep
  }

  /// Makes one step; nil, and nothing is changed, where a number was not finite.
  ///
  /// - Parameter positions: the batch, as positions in the split.
  package mutating func advance(
    on positions: [Int], of split: ImageSplit, in experiment: Experiment, pool: WorkerPool
  ) throws -> StepMetrics? {
    let configuration = experiment.configuration
    let batch = try BatchSums.ofBatch(
      positions, of: split, model: experiment.model, values: model.values,
      shardImages: configuration.training.shardImages, seed: configuration.seed, step: step + 1,
      pool: pool)
    guard batch.isFinite else { return nil }
    step += 1
    var metrics = batch.metrics
    let gradients = batch.gradients
    var scale = 1.0
    if let clipping = configuration.clipping {
      let norm = GradientClipping.norm(of: gradients.compactMap(\.self), pool: pool)
      scale = clipping.scale(norm: norm)
      metrics.gradientNorm = norm
    }
    let options = configuration.adam(step: step)
    metrics.learningRate = options.learningRate
    let trained = batch.layout.trained
    let byName = Dictionary(uniqueKeysWithValues: zip(trained.map(\.name), gradients))
    Adam(trained, options: options).update(&model, scale: scale, step: step, pool: pool) {
      byName[$0.name] ?? nil
    }
    let quantizers = experiment.model.quantizers
    for (quantizer, statistics) in zip(quantizers, batch.statistics(of: quantizers)) {
      quantizer.update(&model, with: statistics, step: step)
    }
    return metrics
  }

  package var values: ParameterValues { model.values }
}
