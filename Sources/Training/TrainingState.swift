import Autograd
import Datasets
import Diagnostics
import NN
import Runtime
import Tensors

/// Everything that changes during a run. A run that starts from a saved state takes the same course, byte
/// for byte, as one that never stopped.
package struct TrainingState: Sendable {
  /// How many steps have been made.
  package private(set) var step = 0
  package private(set) var model: ModelState
  /// The least value of the model's ``TrainableModel/criterion`` in a validation so far.
  package internal(set) var best: Double?
  /// The last step after which the model was validated.
  package internal(set) var validatedStep: Int?

  /// The initial state of a run.
  package init<Model: ConfiguredModel>(_ experiment: Experiment<Model>) {
    model = ModelState(
      initial: experiment.model.parameters, seed: experiment.configuration.seed)
  }

  /// The initial state of a run, prepared with the examples of its first steps (see
  /// ``TrainableModel/prepare(_:seed:sample:)``).
  ///
  /// - Parameter order: the examples in the order of the run.
  package init<Model: ConfiguredModel>(
    _ experiment: Experiment<Model>, preparedOn examples: some Examples<Model.Batch>,
    in order: EpochOrder
  ) throws {
    self.init(experiment)
    var order = order
    try experiment.model.prepare(&model, seed: experiment.configuration.seed) { count in
      let first = order.batch(step: 0, size: min(count, examples.count))
      return try examples.batch(at: first, paddedTo: first.count)
    }
  }

  /// The initial state of a run with the weights of another run. The moments and the step are zero.
  ///
  /// - Parameters:
  ///   - weights: the other model's values, by parameter.
  ///   - path: their file, for errors.
  init<Model: ConfiguredModel>(
    _ experiment: Experiment<Model>, weights: Checkpoint<Model>, path: String
  ) throws {
    self.init(experiment)
    let theirs = Dictionary(
      uniqueKeysWithValues: weights.experiment.model.parameters.map { ($0.name, $0) })
    for parameter in experiment.model.parameters {
      // Averages that the other run did not keep are initialized as in a new run.
      if parameter.isTrainingState, theirs[parameter.name] == nil { continue }
      guard let other = theirs[parameter.name], other.shape == parameter.shape else {
        // Shapes as the file has them.
        func stored(_ parameter: Parameter) -> [Int] {
          parameter.layout.storedShape(parameter.shape).extents
        }
        let shape = theirs[parameter.name].map { "has the shape \(stored($0))" } ?? "is missing"
        throw Problem(
          .badData, path, found: "the tensor \(parameter.name) \(shape)",
          expected: "\(stored(parameter)), for the model of the configuration",
          advice: "The fields of model and quantizer have to be those of the other run, which its "
            + "config.yaml has.")
      }
      model.values[parameter] = weights.state.values[other]
    }
    experiment.model.adoptWeights(&model)
  }

  /// Why the state must not be saved: the first tensor with an element that is not finite, or negative where
  /// it cannot be. Nil if the state is valid.
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
    step: Int, model: ModelState, best: Double?, validatedStep: Int?
  ) {
    self.step = step
    self.model = model
    self.best = best
    self.validatedStep = validatedStep
  }

  /// Makes one step.
  ///
  /// - Parameter indices: the batch, as indices of examples.
  /// - Returns: What the step reports, or nil if a number was not finite; then nothing is changed.
  package mutating func advance<Model: ConfiguredModel>(
    on indices: [Int], of examples: some Examples<Model.Batch>, in experiment: Experiment<Model>,
    pool: WorkerPool
  ) throws -> Measurements? {
    let configuration = experiment.configuration
    let batch = try BatchSums.ofBatch(
      indices, of: examples, model: experiment.model, values: model.values,
      shardSize: configuration.training.shardImages, seed: configuration.seed, step: step + 1,
      pool: pool)
    guard batch.isFinite else { return nil }
    step += 1
    let gradients = batch.gradients
    let options = configuration.adam(step: step)
    var measurements = batch.measurements
    measurements.append(Metric("learningRate", options.learningRate))
    var scale = 1.0
    if let clipping = configuration.clipping {
      let norm = GradientClipping.norm(of: gradients.compactMap(\.self), pool: pool)
      scale = clipping.scale(norm: norm)
      measurements.append(Metric("gradientNorm", norm))
    }
    let trained = batch.layout.trained
    let byName = Dictionary(uniqueKeysWithValues: zip(trained.map(\.name), gradients))
    Adam(trained, options: options).update(&model, scale: scale, step: step, pool: pool) {
      byName[$0.name] ?? nil
    }
    experiment.model.update(&model, with: batch.statistics, step: step)
    return measurements
  }

  package var values: ParameterValues { model.values }
}
