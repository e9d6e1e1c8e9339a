import Testing
import Training

/// Keys that are not there, what is proposed for them, and many faults at once.
@Suite("Unknown keys")
struct UnknownKeyTests {
  static let guesses = [
    BadYAML("sed: 1\n", "1:1", "unknown key sed; did you mean seed?"),
    BadYAML("Seed: 1\n", "1:1", "unknown key Seed; did you mean seed?"),
    BadYAML("training:\n  step: 5\n", "2:3", "training.step; did you mean training.steps?"),
    BadYAML("training: {lr: 1, steps: 5}\n", "1:12", "unknown key training.lr"),
    BadYAML(
      "training:\n  learning-rate: 1\n", "2:3",
      "training.learning-rate; did you mean training.learning_rate?"),
    BadYAML("data:\n  rot: x\n", "2:3", "data.rot; did you mean data.root?"),
    // In the wrong section.
    BadYAML("training:\n  hidden: 5\n", "2:3", "training.hidden; did you mean model.hidden?"),
    BadYAML("steps: 5\n", "1:1", "unknown key steps; did you mean training.steps?"),
    BadYAML("model:\n  decay: 0.9\n", "2:3", "did you mean quantizer.decay?"),
    BadYAML("output:\n  seed: 5\n", "2:3", "unknown key output.seed"),
  ]

  @Test("an unknown key is an error that names the key that was meant", arguments: guesses)
  func guess(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  static let strange = [
    BadYAML("wibble: 1\n", "1:1", "unknown key wibble"),
    BadYAML("dé: 1\n", "1:1", "unknown key dé"),
    BadYAML("~: 1\n", "1:1", "unknown key ~"),
    BadYAML("1: 1\n", "1:1", "unknown key 1"),
    BadYAML("'': 1\n", "1:1", "unknown key "),
    BadYAML("data:\n  <<: {kind: synthetic}\n", "2:3", "unknown key data.<<"),
    BadYAML("wibble: {wobble: [1, {a: b}]}\n", "1:1", "unknown key wibble"),
    BadYAML("seed: 1\nx: 1\n", "2:1", "unknown key x"),
  ]

  @Test("nothing is proposed where nothing is near", arguments: strange)
  func noGuess(_ bad: BadYAML) {
    expectFault(bad.text, bad.place, bad.message)
    #expect(!faults(bad.text).joined().contains("did you mean"))
  }

  @Test("a mistyped section is guessed")
  func section() {
    expectFault("trainig:\n  steps: 5\n", "1:1", "trainig; did you mean training?")
  }

  @Test("a dotted key in a file is refused, since it would stand beside its section")
  func dottedKey() {
    #expect(!faults("model:\n  hidden: 4\nmodel.hidden: 6\n").isEmpty)
  }

  @Test("all faults come at once, in the order of the file")
  func allAtOnce() {
    let text = """
      seed: -1
      data:
        kind: foo
        rot: x
      model:
        residual_layers: 65
      wibble: 1
      training:
        learning_rate: 0
        steps: [1]

      """
    let places = faults(text).map { $0.split(separator: ": ")[0] }
    #expect(
      places == [
        "c.yaml:1:7", "c.yaml:3:9", "c.yaml:4:3", "c.yaml:6:20", "c.yaml:7:1", "c.yaml:9:18",
        "c.yaml:10:10",
      ])
  }

  @Test("faults of the whole stand at the field that they are about")
  func faultsOfTheWhole() {
    expectFault("model:\n  hidden: 7\n", "2:11", "model.hidden: expected an even number")
    expectFault(
      "seed: 2\n\ndata:\n  validation: 0.5\n  kind: cifar10\n", "5:9",
      "data.root: expected the folder of the batch files")
    #expect(faults("data: {kind: cifar10}\n", needsData: false).isEmpty)
    #expect(faults("data: {kind: cifar10, root: x}\n").isEmpty)
  }

  @Test("faults of the whole stand in the order of the file too")
  func orderOfFaultsOfTheWhole() {
    let found = faults("model:\n  hidden: 7\n  preset: x\nwibble: 1\n")
    #expect(
      found.map { $0.split(separator: ": ")[0] } == ["c.yaml:2:11", "c.yaml:3:11", "c.yaml:4:1"])
  }

  @Test("the message has a line for each fault, and their count")
  func description() {
    let error = #expect(throws: ConfigurationError.self) { try read("sed: 1\nseed: x\n") }
    #expect(
      error?.description == """
        c.yaml:1:1: error: unknown key sed; did you mean seed?
        c.yaml:2:7: error: seed: expected a whole number of at least 0, found "x"
        2 errors in the configuration
        """)
    #expect(error?.status.rawValue == 78)
    let single = #expect(throws: ConfigurationError.self) { try read("seed: x\n") }
    #expect(single?.description.hasSuffix("\n1 error in the configuration") == true)
  }
}

@Suite("Suggestions")
struct SuggestionTests {
  static let cases: [(word: String, candidates: [String], expected: String?)] = [
    ("kitten", ["sitting"], "sitting"),  // 3 of 7
    ("flaw", ["lawn"], "lawn"),  // 2 of 4: half is near enough
    ("saturday", ["sunday"], "sunday"),  // 3 of 6
    ("abcdefghij", ["abcdef"], nil),  // 4
    ("ab", ["xyb"], nil),  // 2 of 3: more than half
    ("hiden", ["hidden", "hide"], "hidden"),  // the first of equals
    ("hiden", ["hide", "hidden"], "hide"),
    ("steps", ["step", "steps"], "steps"),
    ("", ["a", "abcd"], nil),
    ("x", [], nil),
    ("abcd", ["abdc"], "abdc"),  // an exchange is two replacements
    ("ünïcode", ["unicode"], "unicode"),
    ("training.stpes", ["training.steps", "training.threads"], "training.steps"),
  ]

  @Test("the nearest word below four edits and half of its length is proposed", arguments: cases)
  func nearest(_ example: (word: String, candidates: [String], expected: String?)) {
    #expect(suggestion(for: example.word, among: example.candidates) == example.expected)
  }
}
