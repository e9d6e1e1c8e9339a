import Testing
import Training

/// `--set key=value`.
@Suite("Overrides")
struct OverrideTests {
  @Test("an override replaces what the file says")
  func replaces() throws {
    let configuration = try read(
      "training: {steps: 5}\n", ["training.steps=7", "seed=3", "quantizer.kind=ema"])
    #expect(configuration.training.steps == 7)
    #expect(configuration.seed == 3)
    #expect(configuration.quantizer.kind == .ema)
  }

  @Test("the later of two overrides wins")
  func laterWins() throws {
    #expect(try read("", ["seed=3", "seed=4"]).seed == 4)
  }

  @Test("an override does not excuse a fault of the file")
  func faultOfTheFile() {
    #expect(faults("seed: x\n", ["seed=3"]).count == 1)
  }

  @Test(
    "a value is taken whole, with blanks and further equals signs",
    arguments: [
      "a=b", "=", "a b", " a", "a ", "-x", "a: b", "# a", "[x", "\"q\"", "&a", "é 👩‍👩‍👧", "yes", "1",
    ])
  func anyPath(_ path: String) throws {
    #expect(try read("", ["data.root=\(path)"]).data.root == path)
  }

  static let wrong: [(text: String, message: String)] = [
    ("training.steps", "expected key=value, such as training.steps=100"),
    ("", "expected key=value"),
    ("=5", "expected key=value"),
    ("training.stpes=5", "unknown key training.stpes; did you mean training.steps?"),
    ("steps=5", "unknown key steps; did you mean training.steps?"),
    ("wibble=5", "unknown key wibble"),
    ("training=5", "unknown key training"),
    (" seed=5", "unknown key  seed"),
    (
      "training.steps=0",
      "training.steps: expected a whole number from 1 to 1000000000, found \"0\""
    ),
    ("training.steps=", "found \"\""),
    ("training.steps= 5", "found \" 5\""),
    ("training.steps=5.0", "found \"5.0\""),
    ("training.steps=\"5\"", "expected a whole number"),
    ("training.learning_rate=nan", "expected a number"),
    ("training.learning_rate=1e999", "expected a number"),
    ("data.kind=cifar", "expected cifar10 or synthetic, found \"cifar\""),
    ("quantizer.init=null", "expected uniform, unit, normal or fan"),
  ]

  @Test("a wrong override is reported as it was given", arguments: wrong)
  func wrongOverride(_ wrong: (text: String, message: String)) {
    let found = faults("", [wrong.text])
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.hasPrefix("--set \(wrong.text): ") == true, "\(found)")
    #expect(found.first?.contains(wrong.message) == true, "\(found)")
  }

  @Test("an override can bring the whole out of order, and is named then")
  func faultOfTheWhole() {
    #expect(
      faults("data: {kind: synthetic}\n", ["data.kind=cifar10"]) == [
        "--set data.kind=cifar10: data.root: expected the folder of the batch files, "
          + "which data.kind cifar10 needs"
      ])
    #expect(faults("data: {kind: cifar10}\n", ["data.root=x"]).isEmpty)
    #expect(faults("model: {hidden: 7}\n", ["model.hidden=8"]).isEmpty)
  }

  @Test("faults of the file come before those of the overrides, which keep their order")
  func order() {
    let places = faults("sed: 1\n", ["x=1", "seed=x", "y"]).map { $0.prefix(12) }
    #expect(places == ["c.yaml:1:1: ", "--set x=1: u", "--set seed=x", "--set y: exp"])
  }

  @Test("an empty path is refused", arguments: ["data.root=", "output.folder="])
  func emptyPath(_ override: String) {
    #expect(faults("", [override]).count == 1)
  }

  @Test("any word is a path, that of YAML's null too", arguments: ["null", "~", "NULL"])
  func nullPath(_ path: String) throws {
    let configuration = try read("", ["output.folder=\(path)"])
    #expect(configuration.output.folder == path)
  }
}
