import Autoencoders
import Configurations
import Quantizers
import Testing

/// The values of fields that a configuration does not set.
@Suite("Defaults")
struct DefaultTests {
  @Test("the defaults are those of the type, and those that depend on other fields are filled in")
  func defaults() throws {
    var expected = Configuration()
    expected.quantizer.update(VQKind.self) { $0.codebook.initialization = .uniform }
    expected.output.folder = "runs/c"
    #expect(try read("") == expected)
    #expect(try read("data: {}\nmodel: {}\nquantizer: {}\ntraining: {}\noutput: {}\n") == expected)
  }

  @Test("the defaults describe the VQ-VAE with 128 hidden units and 512 codewords")
  func usualModel() {
    let c = Configuration()
    let model = c.model.options(of: ResidualArchitecture.self)
    #expect(c.model.kind == "residual")
    #expect((model.hidden, model.residualLayers, model.residualHidden) == (128, 2, 32))
    #expect((c.quantizer.codebook.size, c.quantizer.codebook.dimension) == (512, 64))
    #expect(c.quantizer.codebook.commitment == 0.25)
    #expect(c.data[field: "validation"] == .number(0.1))
  }

  @Test("each field accepts its default")
  func defaultsAreInRange() throws {
    for field in Configuration.fields {
      guard let value = field.initial?.text else { continue }
      let kind =
        field.belongs(Configuration())
        ? nil : field.owners.map { "\($0.kindField)=\($0.kinds[0])" }
      let (given, expected) = try (
        read(yaml(field.name, value), [kind].compactMap(\.self)),
        read("", [kind].compactMap(\.self))
      )
      #expect(given == expected, "\(field.name): \(value)")
    }
  }

  @Test("each field has a meaning, a description of its values, and a unique name")
  func fieldsAreDescribed() {
    for field in Configuration.fields {
      #expect(!field.meaning.isEmpty && !field.domain.expected.isEmpty, "\(field.name)")
    }
    #expect(Set(Configuration.fields.map(\.name)).count == Configuration.fields.count)
  }

  static let presets: [(preset: String, kind: String, CodebookInitialization, UnusedCodeword?)] = [
    ("zalando", "vq", .uniform, nil),
    ("zalando", "ema", .normal, .keep),
    ("sonnet", "vq", .fan, nil),
    ("sonnet", "ema", .fan, .origin),
  ]

  @Test(
    "a preset determines the initialization of the codebook and the handling of unused codewords",
    arguments: presets)
  func preset(_ row: (preset: String, kind: String, CodebookInitialization, UnusedCodeword?)) throws
  {
    let text = "model: {preset: \(row.preset)}\nquantizer: {kind: \(row.kind)}\n"
    let filled = try read(text)
    #expect(filled.quantizer.codebook.initialization == row.2)
    #expect(filled.quantizer[field: "ema_unused"] == row.3.map { .choice($0.rawValue) })
    #expect(try read(text, ["quantizer.init=unit"]).quantizer.codebook.initialization == .unit)
    guard row.kind == "ema" else { return }
    for unused in UnusedCodeword.allCases {
      let chosen = try read(text, ["quantizer.ema_unused=\(unused.rawValue)"])
      #expect(chosen.quantizer.options(of: EMAKind.self).averages.unused == unused)
    }
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
