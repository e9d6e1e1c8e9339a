import Autograd
import NN
import Options
import Tensors

/// The autoencoder that seed document 004 sketches, after that of the diffusers library: residual blocks
/// with group normalisation and SiLU, on several levels of resolution.
///
/// The encoder's level i has `widths[i]` channels. Height and width are halved between levels; the decoder
/// mirrors the encoder. With n + 1 levels images `[N, H, W, C]` become vectors `[N, H/2ⁿ, W/2ⁿ, D]`. The
/// latent has D channels, before and after `quant_conv`. Unlike in diffusers, there is no middle block and no
/// attention, and encoder and decoder have the same number of blocks per level. Parameters have diffusers'
/// names; the initialization is PyTorch's.
package struct ResblockArchitecture: NamedArchitecture {
  package struct Options: FieldOptions {
    /// Channels of each level, from the image's size down.
    package var widths = [64, 128, 128]
    /// Residual blocks per level.
    package var blocks = 1
    package var block = NormalizedResidualBlock.Options()
    package var downsampling = Downsampling.Kind.padded
    package var upsampling = Upsampling.Kind.nearestConvolution

    package init() {}
  }

  package static let name = "resblock"
  package static let fields: [Field<Options>] = [
    .integers(
      "widths", \.widths, 1...4096, count: 1...8,
      "channels of each level, from the image's size down; halved between levels"),
    .integer("blocks", \.blocks, 1...64, "residual blocks of a level"),
    .integer(
      "groups", \.block.groups, 1...4096,
      "groups of channels that are normalised; a divisor of every width"),
    .number("norm_epsilon", \.block.epsilon, 1e-12..<1, "ε of the normalisations"),
    .number(
      "dropout", \.block.dropout, 0..<1, "the probability of an element to be dropped in training"),
    .choice(
      "downsampling", \.downsampling, "zeros around the image, or below and to the right"),
    .choice(
      "upsampling", \.upsampling,
      "four equal pixels, without or with a convolution, or a transposed convolution"),
  ]

  package static func fault(in options: Options) -> FieldFault? {
    let groups = options.block.groups
    guard let width = options.widths.first(where: { !$0.isMultiple(of: groups) }) else {
      return nil
    }
    return FieldFault(
      ["groups", "widths"],
      "expected groups that divide every width, found \(groups) groups and a width of \(width)")
  }

  package static func imageMultiple(_ options: Options) -> Int {
    1 << (options.widths.count - 1)
  }

  package let latents: [Latent]
  private let encoder: Encoder
  private let quantize: Conv2d
  private let postQuantize: Conv2d
  private let decoder: Decoder

  private struct Encoder {
    let convIn: Conv2d
    let levels: [Level<Downsampling>]
    let out: Output
  }

  private struct Decoder {
    let convIn: Conv2d
    let levels: [Level<Upsampling>]
    let out: Output
  }

  /// Blocks of one resolution, followed by resampling to the next, except in the last level.
  private struct Level<Resampling: Module>: Module {
    let blocks: [NormalizedResidualBlock]
    let resampling: Resampling?

    init(
      _ name: String, inChannels: Int, outChannels: Int, options: Options, resampling: Resampling?
    ) {
      blocks = (0..<options.blocks).map { i in
        NormalizedResidualBlock(
          "\(name).resnets.\(i)", inChannels: i == 0 ? inChannels : outChannels,
          outChannels: outChannels, options: options.block)
      }
      self.resampling = resampling
    }

    var parameters: [Parameter] {
      blocks.flatMap(\.parameters) + (resampling?.parameters ?? [])
    }
  }

  /// GroupNorm, SiLU and a 3×3 convolution.
  private struct Output: Module {
    let norm: GroupNorm
    let conv: Conv2d

    init(_ name: String, inChannels: Int, outChannels: Int, options: Options) {
      norm = GroupNorm(
        "\(name).conv_norm_out", channels: inChannels, groups: options.block.groups,
        epsilon: options.block.epsilon)
      conv = Conv2d(
        "\(name).conv_out", inChannels: inChannels, outChannels: outChannels, kernelSize: 3,
        padding: 1)
    }

    var parameters: [Parameter] { norm.parameters + conv.parameters }

    func callAsFunction(_ x: Variable) -> Variable { conv(norm(x, silu: true)) }
  }

  package init(_ options: Options, image: ImageShape, dimension: Int) {
    let multiple = Self.imageMultiple(options)
    let widths = options.widths
    let last = widths.count - 1

    latents = [
      Latent(name: "quantizer", height: image.height / multiple, width: image.width / multiple)
    ]
    encoder = Encoder(
      convIn: Conv2d(
        "encoder.conv_in", inChannels: image.channels, outChannels: widths[0], kernelSize: 3,
        padding: 1),
      levels: widths.indices.map { i in
        let name = "encoder.down_blocks.\(i)"
        return Level(
          name, inChannels: widths[max(0, i - 1)], outChannels: widths[i], options: options,
          resampling: i == last
            ? nil
            : Downsampling(
              "\(name).downsamplers.0", channels: widths[i], kind: options.downsampling))
      },
      out: Output(
        "encoder", inChannels: widths[last], outChannels: dimension, options: options))
    quantize = Conv2d(
      "quant_conv", inChannels: dimension, outChannels: dimension, kernelSize: 1)
    postQuantize = Conv2d(
      "post_quant_conv", inChannels: dimension, outChannels: dimension, kernelSize: 1)
    decoder = Decoder(
      convIn: Conv2d(
        "decoder.conv_in", inChannels: dimension, outChannels: widths[last], kernelSize: 3,
        padding: 1),
      levels: widths.indices.map { i in
        let name = "decoder.up_blocks.\(i)"
        let width = widths[last - i]
        return Level(
          name, inChannels: widths[min(last, last - i + 1)], outChannels: width, options: options,
          resampling: i == last
            ? nil
            : Upsampling("\(name).upsamplers.0", channels: width, kind: options.upsampling))
      },
      out: Output("decoder", inChannels: widths[0], outChannels: image.channels, options: options))
  }

  package var parameters: [Parameter] {
    encoder.convIn.parameters + encoder.levels.flatMap(\.parameters) + encoder.out.parameters
      + quantize.parameters + postQuantize.parameters
      + decoder.convIn.parameters + decoder.levels.flatMap(\.parameters) + decoder.out.parameters
  }

  package func encode(
    _ images: Variable, quantize: (_ vectors: Variable, _ i: Int) -> Variable
  ) -> [Variable] {
    var x = encoder.convIn(images)
    for level in encoder.levels {
      for block in level.blocks { x = block(x) }
      if let downsampling = level.resampling { x = downsampling(x) }
    }
    return [quantize(self.quantize(encoder.out(x)), 0)]
  }

  package func decode(_ codewords: [Variable]) -> Variable {
    var x = decoder.convIn(postQuantize(codewords[0]))
    for level in decoder.levels {
      for block in level.blocks { x = block(x) }
      if let upsampling = level.resampling { x = upsampling(x) }
    }
    return decoder.out(x)
  }
}
