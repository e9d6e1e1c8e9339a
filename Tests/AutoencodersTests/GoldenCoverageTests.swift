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

  /// `ModelGoldenTests` follows them.
  @Test("of ten steps of training", arguments: QuantizerKinds.all.map { $0.name })
  func trajectories(kind: String) throws {
    let name = "trajectory.\(kind)"
    let names = try Golden("zalando").names
    #expect(names.contains { $0 == name || $0.hasPrefix("\(name)_") }, "there is no \(name)")
  }
}
