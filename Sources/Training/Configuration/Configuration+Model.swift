import Autograd
import Diagnostics
import Files
import VectorQuantization

extension Configuration {
  /// The model that is described, for images of a size.
  ///
  /// - Parameter variance: σ² of the training images.
  package func model(imageHeight: Int, imageWidth: Int, variance: Double = 1) -> VQVAE {
    let architecture = model.build(
      imageHeight: imageHeight, imageWidth: imageWidth, dimension: quantizer.dimension)
    var objective = Objective(variance: variance)
    objective.reconstruction = training.reconstruction
    objective.reduction = training.reduction
    return VQVAE(
      architecture: architecture, quantizers: architecture.latents.map { quantizer($0.name) },
      objective: objective, convolution: training.convolution)
  }

  /// The quantizer of a latent.
  private func quantizer(_ name: String) -> any Quantizer {
    func codebook(_ role: Parameter.Role) -> Codebook {
      Codebook(
        name, codewords: quantizer.codebookSize, dimension: quantizer.dimension, start: start,
        role: role, straightThrough: quantizer.straightThrough, distances: quantizer.distances)
    }
    let commitment = Float(quantizer.commitment)
    return switch quantizer.kind {
    case .vq:
      VectorQuantizer(
        codebook(.trained), commitment: commitment,
        codebookWeight: quantizer.weighting == .both ? commitment : 1)
    case .ema:
      EMAQuantizer(
        name, codebook(.buffer), commitment: commitment, decay: quantizer.decay,
        epsilon: quantizer.epsilon, unused: unusedCodeword)
    }
  }

  /// Throws where the architecture cannot take images of a size.
  func check(imageHeight: Int, imageWidth: Int) throws {
    guard model.takes(imageHeight: imageHeight, imageWidth: imageWidth) else {
      throw Problem(
        .badConfiguration, "model.architecture",
        found: "the images are \(imageHeight)×\(imageWidth)",
        expected: model.imageSizes)
    }
  }

  /// The preset, where the architecture has presets.
  private var preset: ResidualArchitecture.Preset? {
    model.architecture.type == ResidualArchitecture.self
      ? model.options(of: ResidualArchitecture.self).preset : nil
  }

  /// The start of the codebook: what the file says, or else what the preset's program does. Without
  /// presets it is near the origin, where the vectors are: from a wide normal distribution they all choose
  /// one of a few codewords, and the others are never found (docs/reproduced-systems.md).
  private var initialization: QuantizerOptions.Initialization {
    if let chosen = quantizer.initialization { return chosen }
    return switch (preset, quantizer.kind) {
    case (.zalando, .vq), (nil, _): .uniform
    case (.zalando, .ema): .normal
    case (.sonnet, _): .fan
    }
  }

  /// What becomes of a codeword that nobody chose, likewise.
  private var unusedCodeword: UnusedCodeword {
    quantizer.emaUnused ?? (preset == .sonnet ? .origin : .keep)
  }

  /// The run folder of a configuration that ``resolved(fileName:)`` has completed.
  var outputFolder: String {
    guard let folder = output.folder else {
      preconditionFailure("a configuration is completed when it is read")
    }
    return folder
  }

  /// Fills in what depends on other fields, so that a saved configuration shows all choices.
  func resolved(fileName: String) -> Configuration {
    var result = self
    result.quantizer.initialization = initialization
    result.quantizer.emaUnused = unusedCodeword
    if output.folder == nil {
      let name = fileName.split(separator: "/").last ?? "run"
      let stem = name.lastIndex(of: ".").map { name[..<$0] } ?? name
      result.output.folder = "runs/" + (stem.isEmpty ? "run" : stem)
    }
    return result
  }

  private var start: Start {
    switch initialization {
    case .uniform: .uniform(bound: 1 / Float(quantizer.codebookSize))
    case .unit: .between(0, 1)
    case .normal: .normal(deviation: 1)
    case .fan: .uniform(bound: (3 / Float(quantizer.dimension)).squareRoot())
    }
  }
}
