import Configurations
import Files
import Testing

/// `--set key=value`.
@Suite("Overrides")
struct OverrideTests {
  @Test("an override replaces the file's value")
  func replaces() throws {
    let configuration = try read(
      "training: {steps: 5}\n", ["training.steps=7", "seed=3", "quantizer.kind=ema"])
    #expect(configuration.training.steps == 7)
    #expect(configuration.seed == 3)
    #expect(configuration.quantizer.kind == "ema")
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
    "everything after the first equals sign is the value, blanks and equals signs included",
    arguments: [
      "a=b", "=", "a b", " a", "a ", "-x", "a: b", "# a", "[x", "\"q\"", "&a", "é 👩‍👩‍👧", "yes", "1",
    ])
  func anyPath(_ path: String) throws {
    #expect(try read("", ["output.folder=\(path)"]).output.folder == path)
  }

  static let wrong: [(text: String, message: String)] = [
    ("training.steps", "expected key=value, such as training.steps=100"),
    ("", "expected key=value"),
    ("=5", "expected key=value"),
    ("training.stpes=5", "unknown key training.stpes; did you mean training.steps?"),
    ("steps=5", "unknown key steps; did you mean training.steps?"),
    ("wibble=5", "unknown key wibble"),
    ("training=5", "training is a section, not a field; set one of its fields"),
    (" seed=5", "unknown key  seed"),
    (
      "training.steps=0",
      "training.steps: expected a whole number from 1 to 1000000000, found 0"
    ),
    ("training.steps=", "training.steps: the field has to have a value, found nothing"),
    ("training.steps=null", "training.steps: the field has to have a value, found null"),
    ("training.steps= 5", "found \" 5\""),
    ("training.steps=5.0", "found 5.0"),
    ("training.steps=\"5\"", "expected a whole number"),
    ("training.learning_rate=nan", "expected a number"),
    ("training.learning_rate=1e999", "expected a number"),
    ("data.kind=cifar", "expected cifar10 or synthetic, found cifar"),
  ]

  @Test("an invalid override is reported as given", arguments: wrong)
  func wrongOverride(_ wrong: (text: String, message: String)) {
    let found = faults("", [wrong.text])
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.hasPrefix("--set \(wrong.text): ") == true, "\(found)")
    #expect(found.first?.contains(wrong.message) == true, "\(found)")
  }

  @Test("an override that contradicts other fields is named")
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

  @Test(
    "null and an empty value unset an optional field, whatever the file says",
    arguments: ["", "null", "~", "Null", "NULL"])
  func unset(_ word: String) throws {
    let optional = Configuration.fields.filter(\.isOptional).map(\.name)
    #expect(
      optional == [
        "data.root", "quantizer.init", "quantizer.ema_unused", "quantizer.restart_every",
        "quantizer.restart_until", "quantizer.restart_below", "training.shard_images",
        "training.clip_norm", "training.kernels", "training.threads", "output.folder",
      ])
    let file = """
      data: {kind: cifar10, root: x}
      quantizer: {kind: ema, init: unit, ema_unused: origin, restart_every: 7}
      training: {clip_norm: 1, threads: 2}
      output: {folder: y}

      """
    let sets = optional.map { "\($0)=\(word)" } + ["data.kind=synthetic"]
    #expect(try read(file) != read(""))
    #expect(try read(file, sets) == read("", ["quantizer.kind=ema"]))
    // Null in a file has the same effect, and a flag still overrides it.
    let unset = """
      data: {root: \(word)}
      quantizer: {init: \(word), ema_unused: \(word)}
      training: {clip_norm: \(word), threads: \(word)}
      output: {folder: \(word)}

      """
    #expect(try read(unset) == read(""))
    #expect(try read(unset, ["training.clip_norm=2"]).training.clipNorm == 2)
  }

  @Test(
    "--run takes precedence over file and overrides, and its name is not parsed as YAML",
    arguments: ["null", "~/a", "a"])
  func runFolder(_ path: String) throws {
    let configuration = try ConfigurationReader.read(
      yaml: "output: {folder: x}", name: "c.yaml", overrides: ["output.folder=y"], runFolder: path)
    #expect(configuration.output.folder == (try expandedPath(path)))
    #expect(
      throws: ConfigurationError([
        .init(
          place: "--run ",
          message: "output.folder: expected a path, found the text \u{27}\u{27} in quotation marks")
      ])
    ) {
      try ConfigurationReader.read(yaml: "{}", name: "c.yaml", runFolder: "")
    }
  }

  @Test("~/ at the beginning of a path is the home folder, in the file and in flags")
  func home() throws {
    let home = try expandedPath("~/")
    #expect(home.hasPrefix("/") && !home.contains("~"))
    let file = try read("data: {kind: cifar10, root: ~/a b}\noutput: {folder: '~/c'}\n")
    #expect(file.data.root == home + "/a b" && file.output.folder == home + "/c")
    #expect(try read("", ["data.kind=cifar10", "data.root=~/x"]).data.root == home + "/x")
    #expect(try read("output: {folder: a/~/b}\n").output.folder == "a/~/b")
    for path in ["~bob/x", "~bob", "$HOME/x", "${HOME}"] {
      expectFault(
        "data:\n  root: \(path)\n  kind: cifar10\n", "2:9",
        "expected a path that is written out, found \(path)")
      #expect(faults("", ["output.folder=\(path)"]).count == 1)
    }
    expectFault("output:\n  folder: \"a\\0b\"\n", "2:11", "the path has a NUL byte")
  }

  @Test(
    "a section in place of a field is said to be one, with the field that is meant",
    arguments: [
      ("quantizer=ema", "did you mean quantizer.kind=ema?"),
      ("model=strided", "did you mean model.architecture=strided?"),
      ("data=cifar10", "did you mean data.kind=cifar10?"),
      ("training=fast", "set one of its fields, such as training.steps"),
    ])
  func section(_ row: (flag: String, guess: String)) {
    let name = row.flag.prefix { $0 != "=" }
    #expect(
      faults("", [row.flag]) == [
        "--set \(row.flag): \(name) is a section, not a field; \(row.guess)"
      ])
  }
}
