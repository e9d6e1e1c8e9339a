import Autoencoders
import Autograd
import NN
import Options
import Quantizers
import Tensors
import TestSupport
import Testing

@Suite("Lists of parameters")
struct ParameterListTests {
  private func models() -> [VQVAE] {
    var models: [VQVAE] = []
    let presets = ResidualArchitecture.Preset.allCases.map { preset in
      var options = ResidualArchitecture.Options()
      options.preset = preset
      return ModelSection(ResidualArchitecture.self, options)
    }
    let architectures = ModelSection.kinds.compactMap { ModelSection(kind: $0) }
    for options in presets + architectures {
      func codebook(_ name: String, _ role: Parameter.Role) -> Codebook {
        Codebook(name, codewords: 8, dimension: 4, initializer: .zeros, role: role)
      }
      let quantizers: [(String) -> any Quantizer] = [
        { VectorQuantizer(codebook($0, .trained), commitment: 0.25) },
        {
          EMAQuantizer(
            codebook($0, .buffer), commitment: 0.25, decay: 0.9, unused: .keep)
        },
        { _ in FiniteScalarQuantizer(ScalarLevels([5, 4, 3, 6])) },
        { LookupFreeQuantizer($0, bits: 4, commitment: 0.25, entropy: 0.1) },
      ]
      for quantizer in quantizers {
        let architecture = options.build(
          image: ImageShape(height: 32, width: 32, channels: 3), dimension: 4)
        models.append(
          VQVAE(
            architecture: architecture,
            quantizers: architecture.latents.map { quantizer($0.name) }))
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

  /// Computed by hand from the layers of the public notebook.
  @Test("the default model has 694,851 trained parameters with a codebook of 512 × 64")
  func count() {
    let architecture = ResidualArchitecture(
      .init(), image: ImageShape(height: 32, width: 32, channels: 3), dimension: 64)
    let weights = architecture.parameters.reduce(0) { $0 + $1.shape.count }
    #expect(weights + 512 * 64 == 694_851)
  }

  /// Computed by hand from the layers that "Understanding VQVAE" prints.
  @Test("the strided model has 1,445,571 trained parameters with a codebook of 256 × 256")
  func stridedCount() throws {
    let architecture = StridedArchitecture(
      NoOptions(), image: ImageShape(height: 32, width: 32, channels: 3), dimension: 256)
    let weights = architecture.parameters.reduce(0) { $0 + $1.shape.count }
    #expect(weights + 256 * 256 == 1_445_571)
    #expect(architecture.latents == [Latent(name: "quantizer", height: 2, width: 2)])
  }

  /// Likewise, from the layers of VQ-VAE-2, a weight and a bias each:
  ///
  ///     two residual blocks     2 · (128·32·9 + 32  +  32·128 + 128)                   =    82,240
  ///     encoder_bottom          3·64·16 + 64  +  64·128·16 + 128  +  128·128·9 + 128
  ///                             and the blocks                                         =   364,160
  ///     encoder_top             128·64·16 + 64  +  64·128·9 + 128, and the blocks      =   287,232
  ///     project_top             128·64 + 64                                            =     8,256
  ///     decoder_top             64·128·9 + 128, the blocks, 128·64·16 + 64             =   287,232
  ///     project_bottom          (64 + 128)·64 + 64                                     =    12,352
  ///     upsample_top            64·64·16 + 64                                          =    65,600
  ///     decoder_bottom          2·64·128·9 + 128, the blocks, 128·64·16 + 64,
  ///                             64·3·16 + 3                                            =   364,035
  ///     all of them                                                                    = 1,388,867
  ///
  /// The goldens' script counts those of PyTorch's modules of these sizes.
  @Test(
    "the hierarchical model has 1,388,867 trained parameters without its codebooks, at every size",
    arguments: [32, 64, 128, 256])
  func hierarchicalCount(side: Int) throws {
    let architecture = HierarchicalArchitecture(
      .init(), image: ImageShape(height: side, width: side, channels: 3), dimension: 64)
    let weights = architecture.parameters.reduce(0) { $0 + $1.shape.count }
    #expect(weights == 1_388_867)
    #expect(Float(weights) == (try Golden("hierarchical")("full_size_count").scalar))
  }

  @Test(
    "the hierarchical model has a top of an eighth of the side and a bottom of a quarter",
    arguments: [(32, 32), (64, 64), (128, 128), (256, 256), (16, 40)])
  func hierarchicalShapes(height: Int, width: Int) throws {
    let architecture = HierarchicalArchitecture(
      .init(), image: ImageShape(height: height, width: width, channels: 3), dimension: 64)
    let latents = [
      Latent(name: "quantizer_top", height: height / 8, width: width / 8),
      Latent(name: "quantizer_bottom", height: height / 4, width: width / 4),
    ]
    #expect(architecture.latents == latents)

    // What it computes has these shapes too.
    let tape = Tape(ParameterValues(initial: architecture.parameters, seed: 1), recording: false)
    let image = tape.constant(Tensor(zeros: [1, height, width, 3]))
    var shapes: [Shape] = []
    let codewords = architecture.encode(image) { z, i in
      #expect(i == shapes.count)
      shapes.append(z.shape)
      return z
    }
    #expect(shapes == latents.map { [1, $0.height, $0.width, 64] })
    #expect(architecture.decode(codewords).shape == [1, height, width, 3])
  }

  /// Likewise, from the layers that ``ResblockArchitecture`` describes, codebooks of 512 × 64 included.
  @Test(
    "the resblock models of the configurations have their trained parameters",
    arguments: [([64, 128, 128], 1_982_979), ([32, 64], 343_523)])
  func resblockCount(widths: [Int], count: Int) {
    var options = ResblockArchitecture.Options()
    options.widths = widths
    let architecture = ResblockArchitecture(
      options, image: ImageShape(height: 32, width: 32, channels: 3), dimension: 64)
    #expect(architecture.parameters.reduce(512 * 64) { $0 + $1.shape.count } == count)
  }

  @Test(
    "resblock computes maps of its latent's and the image's size, for any number of levels and blocks",
    arguments: [
      ([8], 1), ([8, 16], 2), ([16, 8, 24], 3), ([Int](repeating: 8, count: 8), 1),
    ])
  func resblockShapes(widths: [Int], blocks: Int) {
    for downsampling in Downsampling.Kind.allCases {
      for upsampling in Upsampling.Kind.allCases {
        var options = ResblockArchitecture.Options()
        (options.widths, options.blocks, options.block.groups) = (widths, blocks, 4)
        (options.downsampling, options.upsampling) = (downsampling, upsampling)
        let multiple = ResblockArchitecture.imageMultiple(options)
        #expect(multiple == 1 << (widths.count - 1))
        let architecture = ResblockArchitecture(
          options, image: ImageShape(height: multiple, width: 2 * multiple, channels: 3),
          dimension: 6)
        #expect(architecture.latents == [Latent(name: "quantizer", height: 1, width: 2)])
        let tape = Tape(
          ParameterValues(initial: architecture.parameters, seed: 1), recording: false)
        let image = tape.constant(Tensor(zeros: [1, multiple, 2 * multiple, 3]))
        let codewords = architecture.encode(image) { z, _ in
          #expect(z.shape == [1, 1, 2, 6])
          return z
        }
        #expect(architecture.decode(codewords).shape == [1, multiple, 2 * multiple, 3])
      }
    }
  }

  @Test("averages and the codebook that they update are buffers")
  func roles() {
    let quantizer = EMAQuantizer(
      Codebook("q", codewords: 8, dimension: 4, initializer: .zeros, role: .buffer),
      commitment: 0.25, decay: 0.9, unused: .keep)
    #expect(quantizer.parameters.count == 3)
    #expect(quantizer.parameters.allSatisfy { $0.role == .buffer })
  }
}
