import Autograd
import Configurations
import Diagnostics
import Files
import NN
import Tensors
import VectorQuantization

/// A saved run: a safetensors file with the model under its dotted names in PyTorch's layouts, Adam's
/// moments under `optimizer.`, the averages of a codebook under `ema.`, and the rest as metadata.
///
/// It holds no time, path, host or number of threads: equal runs make equal files.
package struct Checkpoint: Sendable {
  package let experiment: Experiment
  package let state: TrainingState

  package init(_ experiment: Experiment, _ state: TrainingState) {
    self.experiment = experiment
    self.state = state
  }

  private enum Key {
    static let format = "vqvae.format"
    static let configuration = "vqvae.config"
    static let step = "vqvae.step"
    static let generator = "vqvae.generator"
    static let epoch = "vqvae.epoch"
    static let epochPosition = "vqvae.epoch_position"
    static let image = "vqvae.image"
    static let trainingImages = "vqvae.training_images"
    static let variance = "vqvae.variance"
    static let fingerprint = "vqvae.data_fingerprint"
    static let bestNMSE = "vqvae.best_nmse"
    static let validatedStep = "vqvae.validated_step"
  }

  private static let format = "1"
  private static let firstMoment = "optimizer.first_moment."
  private static let secondMoment = "optimizer.second_moment."

  // MARK: Writing

  /// Writes the file, whole or not at all. A state that is not valid is refused, and what is at `path`
  /// stays.
  package func write(_ path: String) throws {
    if let fault = state.fault(in: experiment.model.parameters) {
      throw Problem(.diverged, "step \(state.step)", found: fault)
    }
    let configuration = experiment.configuration
    let (epoch, position) = (state.step * configuration.training.batchSize)
      .quotientAndRemainder(dividingBy: experiment.trainingImages)
    var metadata = [
      // What other readers of the format look for.
      "format": "pt",
      Key.format: Self.format,
      Key.configuration: configuration.yaml(.experiment),
      Key.step: String(state.step),
      // Every stream is a function of the seed, the purpose and a number, and so has no state.
      Key.generator: "philox4x32-10 seed \(configuration.seed)",
      Key.epoch: String(epoch),
      Key.epochPosition: String(position),
      Key.image: "\(experiment.imageHeight)x\(experiment.imageWidth)",
      Key.trainingImages: String(experiment.trainingImages),
      Key.variance: "\(experiment.variance)",
    ]
    metadata[Key.fingerprint] = experiment.fingerprint
    metadata[Key.bestNMSE] = state.bestNMSE.map { "\($0)" }
    metadata[Key.validatedStep] = state.validatedStep.map { String($0) }

    let parameters = experiment.model.parameters
    let trained = parameters.filter { $0.role == .trained }
    let items =
      parameters.map { item($0, state.values[$0], prefix: "") }
      + trained.map { item($0, state.model.firstMoments[$0], prefix: Self.firstMoment) }
      + trained.map { item($0, state.model.secondMoments[$0], prefix: Self.secondMoment) }
    try Safetensors.write(path, metadata: metadata, items: items)
  }

  private func item(_ parameter: Parameter, _ value: Tensor, prefix: String) -> Safetensors.Item {
    let stored = parameter.layout.stored(value)
    return .init(
      name: prefix + parameter.name, shape: stored.shape.extents, elements: stored.elements)
  }

  // MARK: Reading

  /// What a checkpoint is read for.
  package enum Use {
    /// Needs everything that it holds.
    case training
    /// Needs the model alone: a file without the optimizer's moments and the moving averages will do.
    case evaluation
  }

  /// A header with a configuration and a few thousand tensors is far below this.
  private static let maximumHeader = 4 << 20

  /// The configuration of a checkpoint, with the defaults of fields that it does not hold, such as paths.
  /// No tensor is read.
  ///
  /// - Parameter overrides: `key=value`, applied to it.
  package static func configuration(
    _ path: String, overrides: [String] = [], runFolder: String? = nil, needsData: Bool = false
  ) throws -> Configuration {
    let file = try SafetensorsFile(path, maximumHeader: maximumHeader)
    return try configuration(
      Metadata(path: path, values: file.metadata), overrides: overrides, runFolder: runFolder,
      needsData: needsData)
  }

  private static func configuration(
    _ metadata: Metadata, overrides: [String] = [], runFolder: String? = nil,
    needsData: Bool = false
  ) throws -> Configuration {
    guard try metadata.text(Key.format) == format else {
      throw metadata.bad(Key.format, expected: format)
    }
    do {
      return try ConfigurationReader.read(
        yaml: try metadata.text(Key.configuration), name: Key.configuration, from: .program,
        overrides: overrides, runFolder: runFolder, needsData: needsData)
    } catch let error as ConfigurationError where overrides.isEmpty {
      throw Problem(.badData, metadata.path, found: error.description)
    }
  }

  /// Reads a file and checks everything that is used of it.
  package init(_ path: String, for use: Use = .training) throws {
    let file = try SafetensorsFile(path, maximumHeader: Self.maximumHeader)
    let metadata = Metadata(path: path, values: file.metadata)
    let configuration = try Self.configuration(metadata)
    let extents = try metadata.text(Key.image).split(separator: "x").compactMap { Int($0) }
    guard extents.count == 2, extents.allSatisfy({ (1...4096).contains($0) }) else {
      throw metadata.bad(Key.image, expected: "height and width")
    }
    guard configuration.model.takes(imageHeight: extents[0], imageWidth: extents[1]) else {
      throw metadata.bad(Key.image, expected: configuration.model.imageSizes)
    }
    let size = configuration.data.imageSize
    guard extents == [size.height, size.width] else {
      throw metadata.bad(
        Key.image, expected: "\(size.height)x\(size.width), as its configuration has it")
    }
    let trainingImages = try metadata.integer(Key.trainingImages, in: 1...Int(Int32.max))
    if let count = configuration.data.trainingImages, count != trainingImages {
      throw metadata.bad(Key.trainingImages, expected: "\(count), as its configuration has it")
    }

    experiment = Experiment(
      configuration, imageHeight: extents[0], imageWidth: extents[1],
      trainingImages: trainingImages, variance: try metadata.positive(Key.variance),
      fingerprint: file.metadata[Key.fingerprint])
    let parameters = experiment.model.parameters
    try MemoryNeed(reading: parameters, for: use).check()
    let trained = parameters.filter { $0.role == .trained }
    let names = Set(
      parameters.map(\.name)
        + trained.flatMap { [Self.firstMoment + $0.name, Self.secondMoment + $0.name] })
    if let extra = file.entries.keys.sorted().first(where: { !names.contains($0) }) {
      throw Problem(
        .badData, path, found: "there is a tensor \(excerpt(extra))",
        expected: "only those of the model that its metadata describes")
    }

    if use == .training, let missing = names.sorted().first(where: { file.entries[$0] == nil }),
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
        if use == .evaluation, parameter.isTrainingState, file.entries[name] == nil {
          tensors[parameter.name] = Tensor(zeros: parameter.shape)
        } else {
          tensors[parameter.name] = try Self.read(
            parameter, named: name, from: file,
            isNonnegative: isNonnegative || (prefix.isEmpty && parameter.isNonnegative))
        }
      }
      return ParameterValues(tensors)
    }
    // Without moments there is nothing to update.
    let updated = use == .training ? trained : []
    state = TrainingState(
      step: try metadata.integer(Key.step, in: 0...1_000_000_000),
      model: ModelState(
        values: try values(parameters),
        firstMoments: try values(updated, prefix: Self.firstMoment),
        secondMoments: try values(updated, prefix: Self.secondMoment, isNonnegative: true)),
      bestNMSE: metadata.has(Key.bestNMSE) ? try metadata.positive(Key.bestNMSE) : nil,
      validatedStep: metadata.has(Key.validatedStep)
        ? try metadata.integer(Key.validatedStep, in: 0...1_000_000_000) : nil)
  }

  /// Whether a tensor is one that training alone reads.
  private static func isTrainingState(_ name: String, of parameters: [Parameter]) -> Bool {
    parameters.first { $0.name == name }?.isTrainingState ?? true
  }

  private static func read(
    _ parameter: Parameter, named name: String, from file: SafetensorsFile, isNonnegative: Bool
  ) throws -> Tensor {
    guard let entry = file.entries[name] else {
      throw Problem(.badData, file.path, found: "the tensor \(name) is missing")
    }
    let stored = parameter.layout.storedShape(parameter.shape)
    guard entry.shape == stored.extents else {
      throw Problem(
        .badData, file.path, found: "the tensor \(name) has the shape \(entry.shape)",
        expected: "\(stored.extents)")
    }
    let tensor = parameter.layout.loaded(Tensor(stored, try file.elements(name)))
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

  /// The strings of a file, checked.
  private struct Metadata {
    let path: String
    let values: [String: String]

    func has(_ key: String) -> Bool { values[key] != nil }

    func text(_ key: String) throws -> String {
      guard let value = values[key] else {
        throw Problem(
          .badData, path, found: "the metadata has no \(key)",
          expected: "a checkpoint that vqvae wrote")
      }
      return value
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int {
      guard let value = Int(try text(key)), range.contains(value) else {
        throw bad(key, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }

    func positive(_ key: String) throws -> Double {
      guard let value = Double(try text(key)), value.isNormal, value > 0 else {
        throw bad(key, expected: "a positive number")
      }
      return value
    }

    func bad(_ key: String, expected: String) -> Problem {
      Problem(
        .badData, path, found: "\(key) is \"\(excerpt(values[key] ?? ""))\"", expected: expected)
    }
  }
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
