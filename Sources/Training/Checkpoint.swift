import Autograd
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
    static let bestNMSE = "vqvae.best_nmse"
    static let validatedStep = "vqvae.validated_step"
  }

  private static let format = "1"
  private static let firstMoment = "optimizer.first_moment."
  private static let secondMoment = "optimizer.second_moment."

  // MARK: Writing

  /// Writes the file, whole or not at all.
  package func write(_ path: String) throws {
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
    metadata[Key.bestNMSE] = state.bestNMSE.map { "\($0)" }
    metadata[Key.validatedStep] = state.validatedStep.map { String($0) }

    let parameters = experiment.model.parameters
    let trained = parameters.filter { $0.role == .trained }
    let items =
      parameters.map { item($0, state.values[$0], prefix: "") }
      + trained.map { item($0, state.optimizer.firstMoments[$0], prefix: Self.firstMoment) }
      + trained.map { item($0, state.optimizer.secondMoments[$0], prefix: Self.secondMoment) }
    try Safetensors.write(path, metadata: metadata, items: items)
  }

  private func item(_ parameter: Parameter, _ value: Tensor, prefix: String) -> Safetensors.Item {
    let stored = parameter.layout.stored(value)
    return .init(
      name: prefix + parameter.name, shape: stored.shape.extents, elements: stored.elements)
  }

  // MARK: Reading

  /// Reads a file and checks everything in it.
  package init(_ path: String) throws {
    let file = try SafetensorsFile(path)
    let metadata = Metadata(path: path, values: file.metadata)
    guard try metadata.text(Key.format) == Self.format else {
      throw metadata.bad(Key.format, expected: Self.format)
    }
    let configuration: Configuration
    do {
      configuration = try ConfigurationReader.read(
        yaml: try metadata.text(Key.configuration), name: Key.configuration,
        needsData: false)
    } catch let error as ConfigurationError {
      throw Problem(.badData, path, found: error.description)
    }
    let extents = try metadata.text(Key.image).split(separator: "x").compactMap { Int($0) }
    guard extents.count == 2, extents.allSatisfy({ (1...4096).contains($0) }) else {
      throw metadata.bad(Key.image, expected: "height and width")
    }
    guard configuration.model.takes(imageHeight: extents[0], imageWidth: extents[1]) else {
      throw metadata.bad(Key.image, expected: configuration.model.imageSizes)
    }

    experiment = Experiment(
      configuration, imageHeight: extents[0], imageWidth: extents[1],
      trainingImages: try metadata.integer(Key.trainingImages, in: 1...Int(Int32.max)),
      variance: try metadata.positive(Key.variance))
    let parameters = experiment.model.parameters
    let trained = parameters.filter { $0.role == .trained }
    let names = Set(
      parameters.map(\.name)
        + trained.flatMap { [Self.firstMoment + $0.name, Self.secondMoment + $0.name] })
    if let extra = file.entries.keys.sorted().first(where: { !names.contains($0) }) {
      throw Problem(
        .badData, path, found: "there is a tensor \(extra)",
        expected: "only those of the model that its metadata describes")
    }

    func values(_ parameters: [Parameter], prefix: String) throws -> ParameterValues {
      var tensors: [String: Tensor] = [:]
      for parameter in parameters {
        tensors[parameter.name] = try Self.read(
          parameter, named: prefix + parameter.name, from: file)
      }
      return ParameterValues(tensors)
    }
    state = TrainingState(
      step: try metadata.integer(Key.step, in: 0...1_000_000_000),
      values: try values(parameters, prefix: ""),
      optimizer: Adam(
        parameters, options: configuration.adam,
        firstMoments: try values(trained, prefix: Self.firstMoment),
        secondMoments: try values(trained, prefix: Self.secondMoment)),
      bestNMSE: metadata.has(Key.bestNMSE) ? try metadata.positive(Key.bestNMSE) : nil,
      validatedStep: metadata.has(Key.validatedStep)
        ? try metadata.integer(Key.validatedStep, in: 0...1_000_000_000) : nil)
  }

  private static func read(
    _ parameter: Parameter, named name: String, from file: SafetensorsFile
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
        .badData, path, found: "\(key) is \"\((values[key] ?? "").prefix(80))\"", expected: expected
      )
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
