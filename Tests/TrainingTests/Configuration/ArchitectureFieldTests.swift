import Autoencoders
import Configurations
import Datasets
import Diagnostics
import Files
import Models
import Quantizers
import Tensors
import Testing
import Training

/// The fields that a configuration can have depend on its architecture.
@Suite("Fields and images of an architecture")
struct ArchitectureFieldTests {
  @Test(
    "a field of another architecture is an error at its place",
    arguments: [
      ("preset", "sonnet", "residual"), ("hidden", "64", "residual and hierarchical"),
      ("residual_layers", "2", "residual and hierarchical"),
      ("residual_hidden", "32", "residual and hierarchical"),
    ])
  func foreignField(_ field: (name: String, value: String, owners: String)) {
    let message =
      "model.\(field.name): belongs to \(field.owners), and model.architecture is strided; leave it out"
    expectFault(
      "model:\n  \(field.name): \(field.value)\n  architecture: strided\n",
      "2:\(field.name.count + 5)", message)
    let setting = "model.\(field.name)=\(field.value)"
    #expect(
      faults("model: {architecture: strided}\n", [setting]) == ["--set \(setting): \(message)"])
    #expect(faults("model: {architecture: residual}\n", [setting]).isEmpty)
  }

  @Test("the fields of the model are those of all architectures")
  func fieldsHaveOwners() {
    let fields = ModelSection.fields.dropFirst()
    for field in fields { #expect(field.owners?.kinds.isEmpty == false, "\(field.name)") }
    func names<Named: NamedArchitecture>(_: Named.Type) -> [String] { Named.fields.map(\.name) }
    let owned = Architectures.all.flatMap { names($0) }
    #expect(Set(owned) == Set(fields.map(\.name)))
    #expect(!fields.isEmpty)
  }

  @Test("a fault that involves several fields is reported at the one that was set")
  func faultOfSeveral() {
    let message = "expected groups that divide every width, found"
    expectFault(
      "model:\n  architecture: resblock\n  widths: [16]\n", "3:11",
      "model.widths: \(message) 32 groups and a width of 16")
    expectFault(
      "model:\n  architecture: resblock\n  widths: [64, 96]\n  groups: 64\n", "4:11",
      "model.groups: \(message) 64 groups and a width of 96")
    #expect(
      faults("model: {architecture: resblock}\n", ["model.widths=[16]"])
        == ["--set model.widths=[16]: model.widths: \(message) 32 groups and a width of 16"])
  }

  @Test("a wrong field causes no further faults")
  func consequences() {
    expectFault(
      "model:\n  architecture: resblok\n  widths: [32, 64]\n", "2:17",
      "model.architecture: expected")
    expectFault(
      "model:\n  architecture: resblock\n  widths: [48, 9x]\n  groups: 48\n", "3:11",
      "model.widths: expected a list")
    // With a flag that corrects the architecture, only the file's fault remains.
    #expect(
      faults(
        "model: {architecture: resblok, widths: [32, 64]}\n", ["model.architecture=resblock"]
      ).count == 1)
  }

  @Test(
    "the numbers of a list in a flag are separated by commas",
    arguments: ["[32,64]", "32,64", " 32 , 64 ", "[ 32 , 64 ]"])
  func lists(_ text: String) throws {
    let model = try read("model: {architecture: resblock}\n", ["model.widths=\(text)"]).model
    #expect(model.options(of: ResblockArchitecture.self).widths == [32, 64])
    for wrong in ["32 64", "6 4,128", "[32,64", "32,,64", "32,64,", "- 32", "[]"] {
      #expect(
        faults("model: {architecture: resblock}\n", ["model.widths=\(wrong)"]).first?
          .contains("model.widths: expected a list") == true, "\(wrong)")
    }
  }

  @Test("architectures have distinct names and are found by them")
  func names() {
    let names = ModelSection.kinds
    #expect(Set(names).count == names.count)
    for name in names { #expect(ModelSection(kind: name)?.kind == name) }
    #expect(ModelSection(kind: "unet") == nil)
  }

  @Test("a saved configuration has only the fields of its architecture, and reads back")
  func saved() throws {
    let strided = try read("model: {architecture: strided}\n")
    #expect(!strided.yaml().contains("hidden") && !strided.yaml().contains("preset"))
    #expect(
      try ConfigurationReader.read(yaml: strided.yaml(), name: "c.yaml") == strided)
    let differences = try strided.differences(from: read(""), in: .experiment)
    #expect(differences.contains { $0 == ("model.architecture", "strided", "residual") })
    #expect(differences.contains { $0 == ("model.hidden", "nothing", "128") })
  }

  @Test("without presets the codebook is initialized uniformly, and unused codewords are kept")
  func start() throws {
    for kind in ["vq", "ema"] {
      let strided = try read("model: {architecture: strided}\nquantizer: {kind: \(kind)}\n")
      #expect(strided.quantizer.codebook.initialization == .uniform)
      #expect(
        strided.quantizer[field: "ema_unused"] == (kind == "ema" ? .choice("keep") : nil))
    }
  }

  @Test(
    "the message for images of an unsupported size names the sizes that the architecture supports",
    arguments: [
      ("residual", 4, 20, 36), ("residual", 4, 32, 30), ("strided", 16, 24, 32),
      ("strided", 16, 32, 8), ("strided", 16, 64, 16), ("hierarchical", 8, 40, 64),
      ("hierarchical", 8, 32, 36), ("hierarchical", 8, 4, 8), ("resblock", 4, 20, 36),
      ("resblock", 4, 34, 32),
    ])
  func imageSizes(_ row: (name: String, multiple: Int, height: Int, width: Int)) throws {
    let facts = ImageFacts(
      image: ImageShape(height: row.height, width: row.width, channels: 3), trainingCount: 10,
      variance: 1)
    let configuration = try read("model: {architecture: \(row.name)}\n")
    let fits = row.height % row.multiple == 0 && row.width % row.multiple == 0
    guard !fits else {
      #expect(try Experiment<VQVAE>(configuration, facts).facts.image == facts.image)
      return
    }
    let problem = #expect(throws: Problem.self) { try Experiment<VQVAE>(configuration, facts) }
    #expect(problem?.status == .badConfiguration)
    let m = row.multiple
    func size(_ round: (Int) -> Int) -> String { "\(round(row.height))×\(round(row.width))" }
    let smaller = size { max(m, $0 / m * m) }
    let larger = size { ($0 + m - 1) / m * m }
    #expect(
      problem?.description
        == "model.architecture: the images are \(row.height)×\(row.width); expected a height and a "
        + "width that are multiples of \(m), such as \(smaller == larger ? smaller : smaller + " or " + larger), which "
        + "\(row.name) can take")
  }

  /// Computed by hand: grids of 8×8 with 512 codewords, of 2×2 with 256, of 8×8 and 4×4 with 512 each.
  @Test(
    "the bits that codes can carry are summed over all grids",
    arguments: [
      ("residual", 512, 0.1875), ("strided", 256, 32.0 / 3072), ("hierarchical", 512, 720.0 / 3072),
      ("resblock", 512, 0.1875),
    ])
  func bits(_ row: (name: String, codewords: Int, bits: Double)) throws {
    let configuration = try read(
      "model: {architecture: \(row.name)}\nquantizer: {codebook_size: \(row.codewords)}\n")
    let experiment = try Experiment<VQVAE>(
      configuration,
      ImageFacts(
        image: ImageShape(height: 32, width: 32, channels: 3), trainingCount: 1, variance: 1))
    #expect(abs(experiment.bitsPerDimension - row.bits) < 1e-12)
  }
}
