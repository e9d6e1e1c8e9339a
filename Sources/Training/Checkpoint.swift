import Autograd
import Configurations
import Diagnostics
import Files
import NN
import Tensors

/// A saved run: a safetensors file with the model's tensors under their dotted names in PyTorch's layouts,
/// Adam's moments under `optimizer.`, and the rest as metadata.
///
/// It holds no time, path, host or number of threads: equal runs make equal files.
package struct Checkpoint<Model: ConfiguredModel>: Sendable {
  package let experiment: Experiment<Model>
  package let state: TrainingState

  package init(_ experiment: Experiment<Model>, _ state: TrainingState) {
    self.experiment = experiment
    self.state = state
  }

  private typealias Key = CheckpointFile.Key

  // MARK: Writing

  /// Writes the file, whole or not at all. An invalid state is refused, and the file at `path` is kept.
  package func write(_ path: String) throws {
    if let fault = state.fault(in: experiment.model.parameters) {
      throw Problem(.diverged, "step \(state.step)", found: fault)
    }
    let configuration = experiment.configuration
    let (epoch, position) = (state.step * configuration.training.batchSize)
      .quotientAndRemainder(dividingBy: experiment.facts.trainingCount)
    var metadata = [
      // What other readers of the format look for.
      "format": "pt",
      Key.format: String(CheckpointMigration.currentFormat),
      Key.model: Model.typeName,
      Key.configuration: configuration.yaml(.experiment),
      Key.step: String(state.step),
      // Every stream is a function of the seed, the purpose and a number, so it has no state.
      Key.generator: "philox4x32-10 seed \(configuration.seed)",
      Key.epoch: String(epoch),
      Key.epochPosition: String(position),
    ]
    metadata.merge(experiment.facts.metadata) { _, _ in
      preconditionFailure("facts of the data have a key of the checkpoint")
    }
    metadata[Key.best] = state.best.map { "\($0)" }
    metadata[Key.validatedStep] = state.validatedStep.map { String($0) }

    let parameters = experiment.model.parameters
    let trained = parameters.filter { $0.role == .trained }
    let items =
      parameters.map { item($0, state.values[$0], prefix: "") }
      + trained.map {
        item($0, state.model.firstMoments[$0], prefix: CheckpointFile.firstMoment)
      }
      + trained.map {
        item($0, state.model.secondMoments[$0], prefix: CheckpointFile.secondMoment)
      }
    try Safetensors.write(path, metadata: metadata, items: items)
  }

  private func item(_ parameter: Parameter, _ value: Tensor, prefix: String) -> Safetensors.Item {
    let stored = parameter.layout.stored(value)
    return .init(
      name: prefix + parameter.name, shape: stored.shape.extents, elements: stored.elements)
  }

  // MARK: Reading

  /// Reads a file and checks everything that is used of it.
  package init(_ path: String, for use: CheckpointUse = .training) throws {
    let file = try CheckpointFile(path)
    let metadata = file.metadata
    guard try metadata.text(Key.model) == Model.typeName else {
      throw metadata.error(Key.model, expected: Model.typeName)
    }
    let configuration = try file.configuration()
    experiment = try Experiment(configuration, Model.Facts(metadata, configuration))

    let parameters = experiment.model.parameters
    try MemoryNeed(reading: parameters, for: use).check()
    let trained = parameters.filter { $0.role == .trained }
    let names = Set(
      parameters.map(\.name)
        + trained.flatMap {
          [CheckpointFile.firstMoment + $0.name, CheckpointFile.secondMoment + $0.name]
        })
    if let extra = file.tensors.sorted().first(where: { !names.contains($0) }) {
      throw Problem(
        .badData, path, found: "there is a tensor \(excerpt(extra))",
        expected: "only those of the model that its metadata describes")
    }
    if use == .training, let missing = names.sorted().first(where: { !file.has($0) }),
      Self.isTrainingState(missing, of: parameters)
    {
      throw Problem(
        .badData, path, found: "the tensor \(missing) is missing",
        expected: "a checkpoint with the optimizer's state, which training needs",
        advice:
          "Evaluation and reconstruction read weights alone; vqvae train --init-from starts a "
          + "new run from them.")
    }
    func values(
      _ parameters: [Parameter], prefix: String = "", isNonnegative: Bool = false
    ) throws -> ParameterValues {
      var tensors: [String: Tensor] = [:]
      for parameter in parameters {
        let name = prefix + parameter.name
        if use == .evaluation, parameter.isTrainingState, !file.has(name) {
          tensors[parameter.name] = Tensor(zeros: parameter.shape)
        } else {
          tensors[parameter.name] = try Self.read(
            parameter, named: name, from: file,
            isNonnegative: isNonnegative || (prefix.isEmpty && parameter.isNonnegative))
        }
      }
      return ParameterValues(tensors)
    }
    // Evaluation needs no moments.
    let updated = use == .training ? trained : []
    let maximumStep = 1_000_000_000
    state = TrainingState(
      step: try metadata.integer(Key.step, in: 0...maximumStep),
      model: ModelState(
        values: try values(parameters),
        firstMoments: try values(updated, prefix: CheckpointFile.firstMoment),
        secondMoments: try values(
          updated, prefix: CheckpointFile.secondMoment, isNonnegative: true)),
      best: metadata[Key.best] == nil ? nil : try metadata.positive(Key.best),
      validatedStep: metadata[Key.validatedStep] == nil
        ? nil : try metadata.integer(Key.validatedStep, in: 0...maximumStep))
  }

  /// Whether only training reads a tensor.
  private static func isTrainingState(_ name: String, of parameters: [Parameter]) -> Bool {
    parameters.first { $0.name == name }?.isTrainingState ?? true
  }

  private static func read(
    _ parameter: Parameter, named name: String, from file: CheckpointFile, isNonnegative: Bool
  ) throws -> Tensor {
    guard let entry = file.tensor(name) else {
      throw Problem(.badData, file.path, found: "the tensor \(name) is missing")
    }
    let stored = parameter.layout.storedShape(parameter.shape)
    guard entry.shape == stored.extents else {
      throw Problem(
        .badData, file.path, found: "the tensor \(name) has the shape \(entry.shape)",
        expected: "\(stored.extents)")
    }
    let tensor = parameter.layout.loaded(Tensor(stored, try entry.elements()))
    guard tensor.isFinite else {
      throw Problem(
        .badData, file.path, found: "the tensor \(name) has an element that is not finite")
    }
    guard !isNonnegative || tensor.isNonnegative else {
      throw Problem(
        .badData, file.path, found: "the tensor \(name) has a negative element",
        expected: "an average of squares or counts")
    }
    return tensor
  }
}

/// What a checkpoint is read for.
package enum CheckpointUse: Sendable {
  /// Needs everything that it holds.
  case training
  /// Needs the model alone: neither the optimizer's moments nor moving averages.
  case evaluation
}

extension Parameter.Layout {
  /// From memory to a file and back: `[kh, kw, C, F]` ↔ `[F, C, kh, kw]`.
  private static let filterAxes = (stored: [3, 2, 0, 1], loaded: [2, 3, 1, 0])

  func stored(_ value: Tensor) -> Tensor {
    self == .filters ? value.permuted(Self.filterAxes.stored) : value
  }

  func loaded(_ value: Tensor) -> Tensor {
    self == .filters ? value.permuted(Self.filterAxes.loaded) : value
  }

  func storedShape(_ shape: Shape) -> Shape {
    self == .filters ? Shape(Self.filterAxes.stored.map { shape[$0] }) : shape
  }
}
