import TestSupport
import Testing
import VectorQuantization

@Suite("Every architecture has a golden")
struct GoldenCoverageTests {
  @Test("of a small model", arguments: ArchitectureName.allCases)
  func architectures(name: ArchitectureName) {
    let goldens = SmallModel.Name.allCases.filter {
      type(of: $0.architecture(imageHeight: 32, imageWidth: 32)) == name.type
    }
    #expect(!goldens.isEmpty, "no case of SmallModel.Name is \(name.rawValue)")
  }

  @Test("for each preset of the residual one", arguments: ResidualArchitecture.Preset.allCases)
  func presets(preset: ResidualArchitecture.Preset) {
    #expect(SmallModel.Name(rawValue: preset.rawValue) != nil)
  }
}
