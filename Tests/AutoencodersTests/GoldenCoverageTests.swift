import Autoencoders
import Options
import Quantizers
import Tensors
import TestSupport
import Testing

@Suite("Every architecture and quantizer has a golden")
struct GoldenCoverageTests {
  @Test("of a small model", arguments: Architectures.all.map { $0.name })
  func architectures(name: String) throws {
    let type = try #require(Architectures.all.first { $0.name == name })
    let goldens = SmallModel.Name.allCases.filter {
      Swift.type(of: $0.architecture(image: ImageShape(height: 32, width: 32, channels: 3))) == type
    }
    #expect(!goldens.isEmpty, "no case of SmallModel.Name is \(name)")
  }

  @Test("for each preset of the residual one", arguments: ResidualArchitecture.Preset.allCases)
  func presets(preset: ResidualArchitecture.Preset) {
    #expect(SmallModel.Name(rawValue: preset.rawValue) != nil)
  }

  /// `ModelGoldenTests` follows a trajectory of ten steps in zalando.safetensors; `QuantizerGoldenTests` follows
  /// one step without a model, whose tensors begin with the kind in quantizers.safetensors.
  @Test("of its training, for each quantizer", arguments: QuantizerKinds.all.map { $0.name })
  func quantizers(kind: String) throws {
    #expect(
      try hasGolden(kind),
      "neither trajectory.\(kind) in zalando.safetensors nor \(kind).… in quantizers.safetensors")
  }

  @Test("and a quantizer without one is noticed", arguments: ["", "v", "q", "rotation", "output"])
  func missing(kind: String) throws {
    #expect(try !hasGolden(kind))
  }

  private func hasGolden(_ kind: String) throws -> Bool {
    let trajectory = "trajectory.\(kind)"
    return try Golden("zalando").names.contains {
      $0 == trajectory || $0.hasPrefix("\(trajectory)_")
    } || Golden("quantizers").names.contains { $0.hasPrefix("\(kind).") }
  }
}
