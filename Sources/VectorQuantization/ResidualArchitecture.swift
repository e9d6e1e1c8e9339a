import Autograd
import NN
import Options
import Tensors

/// The convolutional VQ-VAE of van den Oord et al. 2017, section 4.1, in its two public forms.
///
/// The encoder halves an image twice by 4×4 convolutions of stride 2, passes a 3×3 convolution and a
/// stack of residual blocks, and projects to D channels; the decoder mirrors it. `[N, H, W, 3]`
/// becomes `[N, H/4, W/4, D]` and comes back.
package struct ResidualArchitecture: NamedArchitecture {
  /// Which public program is followed; they are two networks of one name.
  package enum Preset: String, CaseIterable, Sendable {
    /// zalandoresearch/pytorch-vq-vae: PyTorch's start; no ReLU after the encoder's third
    /// convolution; residual blocks as in ``ResidualBlock/Style/zalando``.
    case zalando
    /// Sonnet's example: Sonnet's start; a ReLU after the third convolution; residual blocks as in
    /// ``ResidualBlock/Style/sonnet``.
    case sonnet

    var start: WeightStart { self == .zalando ? .pyTorch : .sonnet }
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

  /// What the preset's program does.
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

  package init(_ options: Options, imageHeight: Int, imageWidth: Int, dimension: Int) {
    let (hidden, start) = (options.hidden, options.preset.start)
    preset = options.preset
    latents = [
      Latent(
        name: "quantizer", height: imageHeight / Self.reduction,
        width: imageWidth / Self.reduction)
    ]
    encoder = Encoder(
      conv1: .halving(
        "encoder.conv1", inChannels: 3, outChannels: hidden / 2, start: start),
      conv2: .halving(
        "encoder.conv2", inChannels: hidden / 2, outChannels: hidden, start: start),
      conv3: Conv2d(
        "encoder.conv3", inChannels: hidden, outChannels: hidden, kernelSize: 3, padding: 1,
        start: start),
      residual: ResidualStack(
        "encoder.residual", channels: hidden, hidden: options.residualHidden,
        layers: options.residualLayers, style: options.preset.style, start: start),
      project: Conv2d(
        "encoder.project", inChannels: hidden, outChannels: dimension, kernelSize: 1, start: start))
    decoder = Decoder(
      conv1: Conv2d(
        "decoder.conv1", inChannels: dimension, outChannels: hidden, kernelSize: 3, padding: 1,
        start: start),
      residual: ResidualStack(
        "decoder.residual", channels: hidden, hidden: options.residualHidden,
        layers: options.residualLayers, style: options.preset.style, start: start),
      upsample1: .doubling(
        "decoder.upsample1", inChannels: hidden, outChannels: hidden / 2, start: start),
      upsample2: .doubling(
        "decoder.upsample2", inChannels: hidden / 2, outChannels: 3, start: start))
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
