import Autograd
import NN
import Options
import Tensors

/// VQ-VAE-2 (Razavi et al. 2019): two levels of codes, with the layers of rosinality/vq-vae-2-pytorch.
///
/// The bottom encoder downsamples an image by 4, the top encoder its output by 2 again. The top is quantized
/// first. The bottom is quantized together with the decoded top, so its codes need only add what the top
/// lacks. The image is decoded from the codewords of both levels, the top's upsampled. Images
/// `[N, H, W, C]` become vectors `[N, H/8, W/8, D]` and `[N, H/4, W/4, D]`.
///
///     h      = encoder_bottom(image)
///     top    = quantizer_top(project_top(encoder_top(h)))
///     bottom = quantizer_bottom(project_bottom([decoder_top(top), h]))
///     output = decoder_bottom([upsample_top(top), bottom])
///
/// Residual blocks are as in ``ResidualBlock/Style/sonnet``; the initialization is PyTorch's.
package struct HierarchicalArchitecture: NamedArchitecture {
  package struct Options: ResidualStackOptions {
    package var hidden = 128
    package var residualLayers = 2
    package var residualHidden = 32

    package init() {}
  }

  package static let name = "hierarchical"
  package static let fields = Options.fields
  /// By which each level is smaller than the image.
  private static let reduction = (top: 8, bottom: 4)

  package static func fault(in options: Options) -> FieldFault? { options.fault }

  package static func imageMultiple(_: Options) -> Int { reduction.top }

  package let latents: [Latent]
  private let encoderBottom: BottomEncoder
  private let encoderTop: TopEncoder
  private let projectTop: Conv2d
  private let decoderTop: TopDecoder
  private let projectBottom: Conv2d
  private let upsampleTop: ConvTranspose2d
  private let decoderBottom: BottomDecoder

  /// Downsamples by 4.
  private struct BottomEncoder {
    let conv1: Conv2d
    let conv2: Conv2d
    let conv3: Conv2d
    let residual: ResidualStack

    var parameters: [Parameter] {
      conv1.parameters + conv2.parameters + conv3.parameters + residual.parameters
    }

    func callAsFunction(_ images: Variable) -> Variable {
      residual(conv3(conv2(conv1(images, relu: true), relu: true)))
    }
  }

  /// Downsamples by 2.
  private struct TopEncoder {
    let conv1: Conv2d
    let conv2: Conv2d
    let residual: ResidualStack

    var parameters: [Parameter] { conv1.parameters + conv2.parameters + residual.parameters }

    func callAsFunction(_ x: Variable) -> Variable {
      residual(conv2(conv1(x, relu: true)))
    }
  }

  /// Upsamples by 2.
  private struct TopDecoder {
    let conv1: Conv2d
    let residual: ResidualStack
    let upsample1: ConvTranspose2d

    var parameters: [Parameter] { conv1.parameters + residual.parameters + upsample1.parameters }

    func callAsFunction(_ x: Variable) -> Variable { upsample1(residual(conv1(x))) }
  }

  /// Upsamples by 4.
  private struct BottomDecoder {
    let conv1: Conv2d
    let residual: ResidualStack
    let upsample1: ConvTranspose2d
    let upsample2: ConvTranspose2d

    var parameters: [Parameter] {
      conv1.parameters + residual.parameters + upsample1.parameters + upsample2.parameters
    }

    func callAsFunction(_ x: Variable) -> Variable {
      upsample2(upsample1(residual(conv1(x)), relu: true))
    }
  }

  package init(_ options: Options, image: ImageShape, dimension: Int) {
    let hidden = options.hidden
    func conv3x3(_ name: String, _ inChannels: Int, _ outChannels: Int) -> Conv2d {
      Conv2d(name, inChannels: inChannels, outChannels: outChannels, kernelSize: 3, padding: 1)
    }
    func project(_ name: String, _ inChannels: Int) -> Conv2d {
      Conv2d(name, inChannels: inChannels, outChannels: dimension, kernelSize: 1)
    }
    func residual(_ name: String) -> ResidualStack {
      ResidualStack(
        name, channels: hidden, hidden: options.residualHidden, layers: options.residualLayers,
        style: .sonnet)
    }
    func latent(_ name: String, _ reduction: Int) -> Latent {
      Latent(name: name, height: image.height / reduction, width: image.width / reduction)
    }
    latents = [
      latent("quantizer_top", Self.reduction.top),
      latent("quantizer_bottom", Self.reduction.bottom),
    ]
    encoderBottom = BottomEncoder(
      conv1: .downsample4x4(
        "encoder_bottom.conv1", inChannels: image.channels, outChannels: hidden / 2),
      conv2: .downsample4x4("encoder_bottom.conv2", inChannels: hidden / 2, outChannels: hidden),
      conv3: conv3x3("encoder_bottom.conv3", hidden, hidden),
      residual: residual("encoder_bottom.residual"))
    encoderTop = TopEncoder(
      conv1: .downsample4x4("encoder_top.conv1", inChannels: hidden, outChannels: hidden / 2),
      conv2: conv3x3("encoder_top.conv2", hidden / 2, hidden),
      residual: residual("encoder_top.residual"))
    projectTop = project("project_top", hidden)
    decoderTop = TopDecoder(
      conv1: conv3x3("decoder_top.conv1", dimension, hidden),
      residual: residual("decoder_top.residual"),
      upsample1: .upsample4x4(
        "decoder_top.upsample1", inChannels: hidden, outChannels: dimension))
    projectBottom = project("project_bottom", dimension + hidden)
    upsampleTop = .upsample4x4(
      "upsample_top", inChannels: dimension, outChannels: dimension)
    decoderBottom = BottomDecoder(
      conv1: conv3x3("decoder_bottom.conv1", 2 * dimension, hidden),
      residual: residual("decoder_bottom.residual"),
      upsample1: .upsample4x4(
        "decoder_bottom.upsample1", inChannels: hidden, outChannels: hidden / 2),
      upsample2: .upsample4x4(
        "decoder_bottom.upsample2", inChannels: hidden / 2, outChannels: image.channels))
  }

  package var parameters: [Parameter] {
    encoderBottom.parameters + encoderTop.parameters + projectTop.parameters
      + decoderTop.parameters + projectBottom.parameters + upsampleTop.parameters
      + decoderBottom.parameters
  }

  package func encode(
    _ images: Variable, quantize: (_ vectors: Variable, _ i: Int) -> Variable
  ) -> [Variable] {
    let h = encoderBottom(images)
    let top = quantize(projectTop(encoderTop(h)), 0)
    let bottom = quantize(projectBottom(concatenate(decoderTop(top), h)), 1)
    return [top, bottom]
  }

  package func decode(_ codewords: [Variable]) -> Variable {
    decoderBottom(concatenate(upsampleTop(codewords[0]), codewords[1]))
  }
}
