import Testing
import Training
import VectorQuantization

/// What a configuration is where it says nothing.
@Suite("Defaults")
struct DefaultTests {
  @Test("the defaults are those of the type, and what depends on others is filled in")
  func defaults() throws {
    var expected = Configuration()
    expected.quantizer.initialization = .uniform
    expected.quantizer.emaUnused = .keep
    expected.output.folder = "runs/c"
    #expect(try read("") == expected)
    #expect(try read("data: {}\nmodel: {}\nquantizer: {}\ntraining: {}\noutput: {}\n") == expected)
  }

  @Test("the defaults are the usual model's")
  func usualModel() {
    let c = Configuration()
    let model = c.model.options(of: ResidualArchitecture.self)
    #expect(c.model.architecture.rawValue == "residual")
    #expect((model.hidden, model.residualLayers, model.residualHidden) == (128, 2, 32))
    #expect((c.quantizer.codebookSize, c.quantizer.dimension) == (512, 64))
    #expect(c.quantizer.commitment == 0.25)
    #expect(c.data.validation == 0.1)
  }

  @Test("each default is a value that its field accepts")
  func defaultsAreInRange() throws {
    for field in ConfigurationField.all {
      guard let value = field.write(Configuration()) else { continue }
      let architecture = field.architectures.map { "model.architecture=\($0[0])" }
      let (given, expected) = try (
        read(yaml(field.key, value), [architecture].compactMap(\.self)),
        read("", [architecture].compactMap(\.self))
      )
      #expect(given == expected, "\(field.key): \(value)")
    }
  }

  @Test("each field says what it means and expects, and has one name")
  func fieldsAreDescribed() {
    for field in ConfigurationField.all {
      #expect(!field.meaning.isEmpty && !field.expected.isEmpty, "\(field.key)")
    }
    #expect(Set(ConfigurationField.all.map(\.key)).count == ConfigurationField.all.count)
  }

  typealias Initialization = Configuration.QuantizerOptions.Initialization

  static let presets: [(preset: String, kind: String, Initialization, UnusedCodeword)] = [
    ("zalando", "vq", .uniform, .keep),
    ("zalando", "ema", .normal, .keep),
    ("sonnet", "vq", .fan, .origin),
    ("sonnet", "ema", .fan, .origin),
  ]

  @Test(
    "a preset fixes the start of the codebook and what becomes of unused codewords",
    arguments: presets)
  func preset(_ row: (preset: String, kind: String, Initialization, UnusedCodeword)) throws {
    let text = "model: {preset: \(row.preset)}\nquantizer: {kind: \(row.kind)}\n"
    let filled = try read(text)
    #expect(filled.quantizer.initialization == row.2)
    #expect(filled.quantizer.emaUnused == row.3)
    let chosen = try read(text, ["quantizer.init=unit", "quantizer.ema_unused=origin"])
    #expect(chosen.quantizer.initialization == .unit)
    #expect(chosen.quantizer.emaUnused == .origin)
  }

  static let folders = [
    ("c.yaml", "runs/c"), ("a/b/c.yaml", "runs/c"), ("/a/my run.yml", "runs/my run"),
    ("c", "runs/c"), ("a.b.yaml", "runs/a.b"), (".yaml", "runs/run"), ("", "runs/run"),
  ]

  @Test("the run folder is named after the file", arguments: folders)
  func folder(_ file: String, _ folder: String) throws {
    #expect(try ConfigurationReader.read(yaml: "{}", name: file).output.folder == folder)
    let given = try ConfigurationReader.read(yaml: "output: {folder: x/y}", name: file)
    #expect(given.output.folder == "x/y")
  }
}
