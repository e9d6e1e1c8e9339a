import Autograd
import NN
import Options
import Quantizers
import Tensors

/// The convolutional VQ-VAE of van den Oord et al. 2017, section 4.1, in its two public implementations.
///
/// The encoder downsamples twice by 4×4 convolutions of stride 2, applies a 3×3 convolution and a stack of
/// residual blocks, and projects to D channels; the decoder mirrors it. Images `[N, H, W, C]` become
/// vectors `[N, H/4, W/4, D]`.
package struct ResidualArchitecture: NamedArchitecture {
  /// Which implementation is followed; the two networks differ.
  package enum Preset: String, CaseIterable, Sendable {
    /// zalandoresearch/pytorch-vq-vae: PyTorch's initialization; no ReLU after the encoder's third
    /// convolution; residual blocks as in ``ResidualBlock/Style/zalando``.
    case zalando
    /// Sonnet's example: Sonnet's initialization; a ReLU after the third convolution; residual blocks as in
    /// ``ResidualBlock/Style/sonnet``.
    case sonnet

    var initialization: Initialization { self == .zalando ? .pyTorch : .sonnet }
    var style: ResidualBlock.Style { self == .zalando ? .zalando : .sonnet }
    var hasReLUAfterThirdConvolution: Bool { self == .sonnet }
  }

  package struct Options: ResidualStackOptions {
    package var preset = Preset.zalando
    package var hidden = 128
    package var residualLayers = 2
    package var residualHidden = 32

    package init() {}
  }

  package static let name = "residual"
  package static let fields =
    [Field<Options>.choice("preset", \.preset, "whose version of it")] + Options.fields
  private static let reduction = 4

  package static func fault(in options: Options) -> FieldFault? { options.fault }

  package static func imageMultiple(_: Options) -> Int { reduction }

  /// As in the preset's implementation.
  package static func codebookDefaults(_ options: Options) -> CodebookDefaults {
    var defaults = CodebookDefaults()
    switch options.preset {
    case .zalando: defaults.averagedInitialization = .normal
    case .sonnet:
      defaults.initialization = .fan
      defaults.averagedInitialization = .fan
      defaults.unused = .origin
    }
    return defaults
  }

  package let latents: [Latent]
  private let preset: Preset
  private let encoder: Encoder
  private let decoder: Decoder

  private struct Encoder {
    let conv1: Conv2d
    let conv2: Conv2d
    let conv3: Conv2d
    let residual: ResidualStack
    let project: Conv2d
  }

  private struct Decoder {
    let conv1: Conv2d
    let residual: ResidualStack
    let upsample1: ConvTranspose2d
    let upsample2: ConvTranspose2d
  }

  package init(_ options: Options, image: ImageShape, dimension: Int) {
    let (hidden, initialization) = (options.hidden, options.preset.initialization)
    preset = options.preset
    latents = [
      Latent(
        name: "quantizer", height: image.height / Self.reduction,
        width: image.width / Self.reduction)
    ]
    encoder = Encoder(
      conv1: .downsample4x4(
        "encoder.conv1", inChannels: image.channels, outChannels: hidden / 2,
        initialization: initialization),
      conv2: .downsample4x4(
        "encoder.conv2", inChannels: hidden / 2, outChannels: hidden, initialization: initialization
      ),
      conv3: Conv2d(
        "encoder.conv3", inChannels: hidden, outChannels: hidden, kernelSize: 3, padding: 1,
        initialization: initialization),
      residual: ResidualStack(
        "encoder.residual", channels: hidden, hidden: options.residualHidden,
        layers: options.residualLayers, style: options.preset.style, initialization: initialization),
      project: Conv2d(
        "encoder.project", inChannels: hidden, outChannels: dimension, kernelSize: 1,
        initialization: initialization))
    decoder = Decoder(
      conv1: Conv2d(
        "decoder.conv1", inChannels: dimension, outChannels: hidden, kernelSize: 3, padding: 1,
        initialization: initialization),
      residual: ResidualStack(
        "decoder.residual", channels: hidden, hidden: options.residualHidden,
        layers: options.residualLayers, style: options.preset.style, initialization: initialization),
      upsample1: .upsample4x4(
        "decoder.upsample1", inChannels: hidden, outChannels: hidden / 2,
        initialization: initialization),
      upsample2: .upsample4x4(
        "decoder.upsample2", inChannels: hidden / 2, outChannels: image.channels,
        initialization: initialization))
  }

  package var parameters: [Parameter] {
    encoder.conv1.parameters + encoder.conv2.parameters + encoder.conv3.parameters
      + encoder.residual.parameters + encoder.project.parameters
      + decoder.conv1.parameters + decoder.residual.parameters
      + decoder.upsample1.parameters + decoder.upsample2.parameters
  }

  package func encode(
    _ images: Variable, quantize: (_ vectors: Variable, _ i: Int) -> Variable
  ) -> [Variable] {
    var x = encoder.conv1(images, relu: true)
    x = encoder.conv2(x, relu: true)
    x = encoder.conv3(x, relu: preset.hasReLUAfterThirdConvolution)
    return [quantize(encoder.project(encoder.residual(x)), 0)]
  }

  package func decode(_ codewords: [Variable]) -> Variable {
    var x = decoder.residual(decoder.conv1(codewords[0]))
    x = decoder.upsample1(x, relu: true)
    return decoder.upsample2(x)
  }
}
