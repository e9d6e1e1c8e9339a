import Autoencoders
import Configurations
import Datasets
import Models
import Quantizers
import Runtime
import Tensors
import TestSupport
import Testing
import Training

/// An image's result depends neither on its place in a shard nor on how many neighbours it has.
///
/// OpenBLAS does not promise that: its small-matrix kernels round differently for few rows. So the model
/// has the default widths, for which those kernels would be used.
@Suite("An image's result does not depend on its neighbours")
struct NeighbourTests {
  @Test(
    "bytes of 1, 7, 8, 9 and 17 images", arguments: ModelSection.kinds, [1, 7, 8, 9, 17])
  func counts(architecture: String, count: Int) throws {
    let model = try NeighbourModel(architecture)
    let all = try model.reconstruct(Array(0..<17))
    #expect(try model.reconstruct(Array(0..<count)) == Array(all[..<count]))
  }

  @Test(
    "floats of an image in every place of a shard, among different others",
    arguments: ModelSection.kinds)
  func places(architecture: String) throws {
    let model = try NeighbourModel(architecture)
    let pixels = 32 * 32 * 3
    let size = 32
    let alone = try model.output(of: [3])[0..<pixels]
    for place in 0..<size {
      var positions = Array(10..<(10 + size))
      positions[place] = 3
      let found = try model.output(of: positions)
      #expect(found[(place * pixels)..<((place + 1) * pixels)].elementsEqual(alone), "\(place)")
    }
  }
}

/// A model of an architecture with default options and initial weights, and images.
private struct NeighbourModel {
  private let experiment: Experiment<VQVAE>
  private let state: TrainingState
  private let split: ImageSplit

  init(_ architecture: String) throws {
    let configuration = try ConfigurationReader.read(
      yaml: "data: {kind: synthetic, images: 40}", name: "usual.yaml",
      overrides: ["model.architecture=\(architecture)"])
    let dataset = try VQVAE.open(configuration)
    experiment = try Experiment<VQVAE>(configuration, dataset.facts)
    state = TrainingState(experiment)
    split = ImageSplit(Synthetic(seed: 5, first: 0, count: 42))
  }

  func reconstruct(_ positions: [Int], threads: Int = 2) throws -> [[UInt8]] {
    try Reconstructions(
      of: experiment.model, state.values, on: split, at: positions,
      pool: WorkerPool(threads: threads)
    ).reconstructions
  }

  func output(of positions: [Int], paddedTo size: Int = 32) throws -> [Float] {
    let images = try split.images(at: positions, paddedTo: size)
    return experiment.model.reconstruct(images, state.values).reconstruction.elements
  }
}
