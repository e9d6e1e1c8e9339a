import Autoencoders
import Configurations
import Foundation
import Quantizers
import TestSupport
import Testing

/// Fields that do not belong to the kinds of their configuration.
@Suite("Fields of a kind")
struct KindFieldTests {
  /// The kinds with moving averages.
  private static let averaged = "ema, cosine, residual and grouped"

  static let foreign: [(field: String, value: String, kind: String, message: String)] = [
    ("data.root", "x", "synthetic", "belongs to cifar10, and data.kind is synthetic"),
    ("data.images", "5", "cifar10", "belongs to synthetic, and data.kind is cifar10"),
    ("data.side", "8", "cifar10", "belongs to synthetic, and data.kind is cifar10"),
    ("quantizer.decay", "0.5", "vq", "belongs to \(averaged), and quantizer.kind is vq"),
    ("quantizer.epsilon", "0.5", "vq", "belongs to \(averaged), and quantizer.kind is vq"),
    ("quantizer.ema_unused", "keep", "vq", "belongs to \(averaged), and quantizer.kind is vq"),
    ("quantizer.levels", "[5, 5]", "vq", "belongs to fsq, and quantizer.kind is vq"),
    ("quantizer.bits", "6", "fsq", "belongs to lfq, and quantizer.kind is fsq"),
    (
      "quantizer.dimension", "6", "fsq",
      "belongs to vq, ema, cosine, simvq, residual and grouped, and quantizer.kind is fsq"
    ),
  ]

  @Test("a field of another kind is an error at its place, in a file or flag", arguments: foreign)
  func otherKind(_ row: (field: String, value: String, kind: String, message: String)) {
    let parts = row.field.split(separator: ".")
    let rest = row.kind == "cifar10" ? "  root: x\n" : ""
    let kind = "\(parts[0]):\n  kind: \(row.kind)\n\(rest)"
    let line = row.kind == "cifar10" ? 4 : 3
    let message = "\(row.field): \(row.message); leave it out"
    expectFault(
      "\(kind)  \(parts[1]): \(row.value)\n", "\(line):\(parts[1].count + 5)", message)
    let flag = "\(row.field)=\(row.value)"
    #expect(faults(kind, [flag]) == ["--set \(flag): \(message)"])
  }

  @Test(
    "a field that the default kind does not have is an error",
    arguments: ["data.root=x", "quantizer.decay=0.5"])
  func ofOthersThanTheDefault(_ flag: String) { #expect(faults("", [flag]).count == 1) }

  @Test("an optional field of another kind may be null", arguments: ["", "null"])
  func unset(_ word: String) throws {
    #expect(try read("", ["data.root=\(word)", "quantizer.ema_unused=\(word)"]) == read(""))
    #expect(try read("data: {root: \(word)}\nquantizer: {ema_unused: \(word)}\n") == read(""))
    // The null is a fault of its own for a field that has to have a value.
    #expect(faults("", ["quantizer.decay=\(word)"]).count == 2)
  }

  private static let file = """
    data: {kind: cifar10, root: x, validation: 0.2}
    model: {architecture: residual, hidden: 64, preset: sonnet}
    quantizer: {kind: ema, decay: 0.9, dimension: 8}

    """

  @Test("a flag that chooses another kind drops the fields of the file's kind")
  func chosenByFlag() throws {
    let found = try read(
      Self.file,
      ["data.kind=synthetic", "quantizer.kind=vq", "model.architecture=hierarchical"])
    // The fields that both kinds have stay.
    let expected = try read(
      """
      data: {kind: synthetic, validation: 0.2}
      model: {architecture: hierarchical, hidden: 64}
      quantizer: {kind: vq, dimension: 8}

      """)
    #expect(found == expected)
    #expect(found.yaml() == expected.yaml())
  }

  /// `make bench` does this if there are no images.
  @Test("every published configuration accepts another kind of images and of quantizer")
  func published() throws {
    let folder = packageFolder + "/configs"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
    for file in files where file.hasSuffix(".yaml") {
      for kind in QuantizerSection.kinds {
        let configuration = try ConfigurationReader.read(
          file: "\(folder)/\(file)",
          overrides: ["data.kind=synthetic", "quantizer.kind=\(kind)"])
        #expect(configuration.data.kind == "synthetic" && configuration.quantizer.kind == kind)
      }
    }
  }

  @Test("the order of the flags does not matter")
  func orderOfFlags() throws {
    let flags = ["data.images=7", "data.kind=synthetic"]
    #expect(try read(Self.file, flags) == read(Self.file, flags.reversed()))
  }

  @Test("a flag for a field of the file's kind is an error if another flag changes the kind")
  func otherFlags() {
    #expect(
      faults(Self.file, ["quantizer.kind=vq", "quantizer.decay=0.5"]) == [
        "--set quantizer.decay=0.5: quantizer.decay: belongs to \(Self.averaged), and quantizer.kind is "
          + "vq; leave it out"
      ])
  }

  @Test("a flag for the kind does not excuse a field that the file's own kind does not have")
  func faultOfTheFile() {
    let file = "quantizer: {kind: vq, decay: 0.9}\n"
    #expect(faults(file, ["quantizer.kind=vq"]).count == 1)
    #expect(
      faults("model: {architecture: strided, widths: [32]}\n", ["model.architecture=residual"])
        .count == 1)
    // With the kind from the flag, the field can be valid.
    #expect(faults(file, ["quantizer.kind=ema"]).isEmpty)
  }

  @Test("an unknown kind is the only fault")
  func unknownKind() {
    let file = "quantizer: {kind: pq, decay: 0.9}\n"
    expectFault(file, "1:19", "expected vq, ema,")
    #expect(faults(file, ["quantizer.kind=vq"]).count == 1)
  }

  @Test("fields of other kinds in a text written by the program are dropped")
  func writtenByTheProgram() throws {
    let text = """
      data: {kind: cifar10, images: 9, side: 8}
      quantizer: {kind: vq, decay: 0.5, epsilon: 1e-3, ema_unused: origin}

      """
    func read(_ text: String, _ overrides: [String] = []) throws -> Configuration {
      try ConfigurationReader.read(
        yaml: text, name: "c.yaml", from: .program, overrides: overrides, needsData: false)
    }
    #expect(try read(text) == read("data: {kind: cifar10}\n"))
    #expect(!(try read(text).yaml().contains("  decay:")))
    // In a flag such a field is still an error.
    #expect(throws: ConfigurationError.self) { try read(text, ["quantizer.decay=0.5"]) }
  }

  /// A checkpoint of an earlier format is read like this, once a field has been renamed.
  @Test("a renamed field is found under its old name, and overridden under its new one")
  func renamed() throws {
    func read(_ text: String, _ overrides: [String] = []) throws -> Configuration {
      try ConfigurationReader.read(
        yaml: text, name: "c.yaml", from: .program,
        renamedFields: ["quantizer.codes": "quantizer.codebook_size", "steps": "seed"],
        overrides: overrides, needsData: false)
    }
    let found = try read("steps: 7\nquantizer: {codes: 100}\n")
    #expect(found.quantizer.codebook.size == 100 && found.seed == 7)
    #expect(
      try read("quantizer: {codes: 100}\n", ["quantizer.codebook_size=9"])
        .quantizer.codebook.size == 9)
    #expect(throws: ConfigurationError.self) { try read("seed: 1\n", ["quantizer.codes=9"]) }
  }

  @Test("fields that one of the configurations does not have are listed as differences")
  func differences() throws {
    let (vq, ema) = try (read("quantizer: {kind: vq}\n"), read("quantizer: {kind: ema}\n"))
    let differences = vq.differences(from: ema, in: .experiment)
    #expect(differences.contains { $0 == ("quantizer.decay", "nothing", "0.99") })
    #expect(vq.differences(from: vq, in: .experiment).isEmpty)
    #expect(!vq.yaml().contains("  decay:") && ema.yaml().contains("decay"))
  }
}
