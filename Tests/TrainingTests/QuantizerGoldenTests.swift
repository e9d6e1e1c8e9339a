import TestSupport
import Testing
import Training

/// In these tests because it is the configuration that names kinds of quantizers.
@Suite("Every quantizer has a golden")
struct QuantizerGoldenTests {
  /// `ModelGoldenTests` follows them.
  @Test("of ten steps of training", arguments: Configuration.QuantizerOptions.Kind.allCases)
  func trajectories(kind: Configuration.QuantizerOptions.Kind) throws {
    let name = "trajectory.\(kind.rawValue)"
    let names = try Golden("zalando").names
    #expect(names.contains { $0 == name || $0.hasPrefix("\(name)_") }, "there is no \(name)")
  }
}
