import Autograd
import NN
import Options
import Tensors

/// The convolutional VQ-VAE of seed document 002 ("Understanding VQVAE").
///
/// Every layer is a 4×4 convolution of stride 2, or a transposed one. Images `[N, H, W, C]` become vectors
/// `[N, H/16, W/16, D]`. ReLU follows each of the encoder's convolutions; tanh is between those of the
/// decoder; nothing follows `before_quantize`, `after_quantize` and the last layer. The initialization is
/// PyTorch's.
package struct StridedArchitecture: NamedArchitecture {
  package static let name = "strided"
  private static let reduction = 16

  package static func imageMultiple(_: NoOptions) -> Int { reduction }

  package let latents: [Latent]
  private let encoder: Encoder
  private let beforeQuantize: Conv2d
  private let afterQuantize: ConvTranspose2d
  private let decoder: Decoder

  private struct Encoder {
    let conv1: Conv2d
    let conv2: Conv2d
    let conv3: Conv2d
  }

  private struct Decoder {
    let upsample1: ConvTranspose2d
    let upsample2: ConvTranspose2d
    let upsample3: ConvTranspose2d
  }

  package init(_: NoOptions, image: ImageShape, dimension: Int) {
    self.init(
      widths: (32, 64, 128), image: image, dimension: dimension)
  }

  /// - Parameter widths: channels after each of the encoder's convolutions; the document's are 32, 64
  ///   and 128.
  package init(
    widths: (first: Int, second: Int, third: Int), image: ImageShape, dimension: Int
  ) {
    latents = [
      Latent(
        name: "quantizer", height: image.height / Self.reduction,
        width: image.width / Self.reduction)
    ]
    encoder = Encoder(
      conv1: .downsample4x4("encoder.conv1", inChannels: image.channels, outChannels: widths.first),
      conv2: .downsample4x4("encoder.conv2", inChannels: widths.first, outChannels: widths.second),
      conv3: .downsample4x4("encoder.conv3", inChannels: widths.second, outChannels: widths.third))
    beforeQuantize = .downsample4x4(
      "before_quantize", inChannels: widths.third, outChannels: dimension)
    afterQuantize = .upsample4x4(
      "after_quantize", inChannels: dimension, outChannels: widths.third)
    decoder = Decoder(
      upsample1: .upsample4x4(
        "decoder.upsample1", inChannels: widths.third, outChannels: widths.second),
      upsample2: .upsample4x4(
        "decoder.upsample2", inChannels: widths.second, outChannels: widths.first),
      upsample3: .upsample4x4(
        "decoder.upsample3", inChannels: widths.first, outChannels: image.channels))
  }

  package var parameters: [Parameter] {
    encoder.conv1.parameters + encoder.conv2.parameters + encoder.conv3.parameters
      + beforeQuantize.parameters + afterQuantize.parameters
      + decoder.upsample1.parameters + decoder.upsample2.parameters + decoder.upsample3.parameters
  }

  package func encode(
    _ images: Variable, quantize: (_ vectors: Variable, _ i: Int) -> Variable
  ) -> [Variable] {
    var x = encoder.conv1(images, relu: true)
    x = encoder.conv2(x, relu: true)
    x = encoder.conv3(x, relu: true)
    return [quantize(beforeQuantize(x), 0)]
  }

  package func decode(_ codewords: [Variable]) -> Variable {
    let x = decoder.upsample1(afterQuantize(codewords[0]))
    return decoder.upsample3(tanh(decoder.upsample2(tanh(x))))
  }
}
