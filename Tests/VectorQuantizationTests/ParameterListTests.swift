import Autograd
import NN
import TestSupport
import Testing
import VectorQuantization

@Suite("Lists of parameters")
struct ParameterListTests {
  private func models() -> [VQVAE] {
    var models: [VQVAE] = []
    let presets = ResidualArchitecture.Preset.allCases.map { preset in
      var options = ModelOptions()
      options.preset = preset
      return options
    }
    let architectures = ArchitectureName.allCases.map { name in
      var options = ModelOptions()
      options.architecture = name
      return options
    }
    for options in presets + architectures {
      let gradient: (String) -> Quantizer.Learning = { _ in .gradient }
      let average: (String) -> Quantizer.Learning = {
        .movingAverage(
          MovingAverage($0, codewords: 8, dimension: 4, decay: 0.9, unused: .keep))
      }
      for learning in [gradient, average] {
        let architecture = options.build(imageHeight: 32, imageWidth: 32, dimension: 4)
        models.append(
          VQVAE(
            architecture: architecture,
            quantizers: architecture.latents.map { latent in
              Quantizer(
                latent.name, codewords: 8, dimension: 4, start: .zeros,
                learning: learning(latent.name), straightThrough: .function)
            }, commitment: 0.25))
      }
    }
    return models
  }

  @Test("a model lists every parameter that it stores, once")
  func complete() {
    for model in models() {
      let listed = model.parameters.map(\.name)
      #expect(Set(listed).count == listed.count)
      #expect(listed.sorted() == reflectedParameterNames(of: model).sorted())
    }
  }

  /// Summed up apart from this program, from the layers' sizes in the public notebook.
  @Test("the usual model has 694,851 trained parameters with a codebook of 512 × 64")
  func count() {
    let architecture = ResidualArchitecture(
      .init(), imageHeight: 32, imageWidth: 32, dimension: 64)
    let weights = architecture.parameters.reduce(0) { $0 + $1.shape.count }
    #expect(weights + 512 * 64 == 694_851)
  }

  /// Likewise, from the layers that seed document 002 prints.
  @Test("the strided model has 1,445,571 trained parameters with a codebook of 256 × 256")
  func stridedCount() throws {
    var options = ModelOptions()
    options.architecture = ArchitectureName(StridedArchitecture.self)
    let architecture = options.build(imageHeight: 32, imageWidth: 32, dimension: 256)
    let weights = architecture.parameters.reduce(0) { $0 + $1.shape.count }
    #expect(weights + 256 * 256 == 1_445_571)
    #expect(architecture.latents == [Latent(name: "quantizer", height: 2, width: 2)])
  }

  @Test("averages are buffers, and so is the codebook that they make")
  func roles() {
    let average = MovingAverage("q", codewords: 8, dimension: 4, decay: 0.9, unused: .keep)
    let quantizer = Quantizer(
      "q", codewords: 8, dimension: 4, start: .zeros, learning: .movingAverage(average),
      straightThrough: .detach)
    #expect(quantizer.parameters.count == 3)
    #expect(quantizer.parameters.allSatisfy { $0.role == .buffer })
  }
}
