/// The configuration of `vqvae demo`.
///
/// It is part of the program, because an installed program has no other file. A test compares it with
/// `configs/demo.yaml`.
package enum DemoConfiguration {
  /// The text of `configs/demo.yaml`.
  package static let yaml = """
    # A small model on synthetic images. Cost: about a minute on two cores (Zen 5, AVX-512).
    seed: 1
    data:
      kind: synthetic
      images: 8192
    model:
      architecture: residual
      preset: sonnet
      hidden: 64
      residual_layers: 2
      residual_hidden: 32
    quantizer:
      kind: ema
      codebook_size: 256
      dimension: 16
      ema_unused: keep
    training:
      steps: 7000
      batch_size: 32
      learning_rate: 0.001
      checkpoint_every: 1000
      validate_every: 1000
    output:
      folder: runs/demo

    """

  /// - Parameters:
  ///   - overrides: `key=value`, applied in order.
  ///   - runFolder: replaces `output.folder`.
  package static func read(
    overrides: [String] = [], runFolder: String? = nil
  ) throws -> Configuration {
    try ConfigurationReader.read(
      yaml: yaml, name: "demo configuration", overrides: overrides, runFolder: runFolder)
  }
}
