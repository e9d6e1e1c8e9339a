import Configurations
import Testing

/// Unknown keys, suggestions for them, and many faults at once.
@Suite("Unknown keys")
struct UnknownKeyTests {
  static let guesses = [
    BadYAML("sed: 1\n", "1:1", "unknown key sed; did you mean seed?"),
    BadYAML("Seed: 1\n", "1:1", "unknown key Seed; did you mean seed?"),
    BadYAML("training:\n  step: 5\n", "2:3", "training.step; did you mean training.steps?"),
    BadYAML(
      "training: {lr: 1, steps: 5}\n", "1:12", "training.lr; did you mean training.learning_rate?"),
    BadYAML("learningRate: 1\n", "1:1", "did you mean training.learning_rate?"),
    BadYAML("model.hidden: 4\n", "1:1", "in a file, hidden is a key of the section model"),
    BadYAML(
      "training:\n  learning-rate: 1\n", "2:3",
      "training.learning-rate; did you mean training.learning_rate?"),
    BadYAML("data:\n  rot: x\n", "2:3", "data.rot; did you mean data.root?"),
    // Keys in the wrong section.
    BadYAML("training:\n  hidden: 5\n", "2:3", "training.hidden; did you mean model.hidden?"),
    BadYAML("steps: 5\n", "1:1", "unknown key steps; did you mean training.steps?"),
    BadYAML("model:\n  decay: 0.9\n", "2:3", "did you mean quantizer.decay?"),
    BadYAML("output:\n  seed: 5\n", "2:3", "output.seed; did you mean seed?"),
  ]

  @Test("the message for an unknown key suggests the key that was meant", arguments: guesses)
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

  @Test("there is no suggestion for a key that is not similar to any field", arguments: strange)
  func noGuess(_ bad: BadYAML) {
    expectFault(bad.text, bad.place, bad.message)
    #expect(!faults(bad.text).joined().contains("did you mean"))
  }

  /// Names from configurations of other programs. Each is tested at the top level, in a section and in a
  /// flag.
  static let habits: [(name: String, field: String)] = [
    ("lr", "training.learning_rate"), ("learning-rate", "training.learning_rate"),
    ("LR", "training.learning_rate"), ("epochs", "training.steps"), ("max_steps", "training.steps"),
    ("num_steps", "training.steps"), ("num_training_updates", "training.steps"),
    ("batch", "training.batch_size"), ("bs", "training.batch_size"),
    ("batch-size", "training.batch_size"), ("num_embeddings", "quantizer.codebook_size"),
    ("n_embed", "quantizer.codebook_size"), ("n_e", "quantizer.codebook_size"),
    ("embedding_dim", "quantizer.dimension"), ("embed_dim", "quantizer.dimension"),
    ("e_dim", "quantizer.dimension"), ("commitment_cost", "quantizer.commitment"),
    ("beta", "quantizer.commitment"), ("num_hiddens", "model.hidden"),
    ("hidden_dim", "model.hidden"), ("num_residual_layers", "model.residual_layers"),
    ("num_residual_hiddens", "model.residual_hidden"), ("dataset", "data.kind"),
    ("data_dir", "data.root"), ("out_dir", "output.folder"), ("output_dir", "output.folder"),
    ("save_every", "training.checkpoint_every"), ("eval_every", "training.validate_every"),
    ("random_seed", "seed"), ("manual_seed", "seed"), ("num_workers", "training.threads"),
    ("workers", "training.threads"), ("gamma", "quantizer.decay"), ("ema_decay", "quantizer.decay"),
  ]

  @Test("for the names that other trainers use, the field here is suggested", arguments: habits)
  func habit(_ habit: (name: String, field: String)) {
    let hint = "\(habit.name); did you mean \(habit.field)?"
    expectFault("\(habit.name): 1\n", "1:1", "unknown key " + hint)
    expectFault("training: {\(habit.name): 1}\n", "1:12", "unknown key training." + hint)
    let found = faults("wibble:\n  exp: {\(habit.name): 1}\n")
    #expect(
      found.count == 2 && found[1].contains("2:9: unknown key wibble.exp." + hint), "\(found)")
    #expect(faults("", ["\(habit.name)=1"])[0].contains(hint))
  }

  @Test("messages explain how to convert epochs to steps, and name features that do not exist")
  func notes() {
    expectFault("epochs: 1\n", "1:1", "epochs times training images over training.batch_size")
    expectFault("optimizer: adam\n", "1:1", "there is one optimizer, Adam")
    expectFault("device: cuda\n", "1:1", "training runs on the processor")
  }

  @Test("each hint names an existing field, and no hint hides one")
  func hints() {
    let fields = Configuration.fields.map(\.name)
    var names: Set<String> = []
    for row in FieldHint.table {
      if let key = row.key { #expect(fields.contains(key), "\(key)") }
      for name in row.names.split(separator: " ").map(String.init) {
        #expect(names.insert(FieldHint.squeezed(name)).inserted, "\(name) has two meanings")
        #expect(!fields.contains { $0.split(separator: ".").last == name[...] }, "\(name)")
      }
    }
  }

  @Test("messages are short single lines, and only the first 20 are shown")
  func length() {
    let long = String(repeating: "x", count: 10_000)
    for text in [
      "seed: \(long)\n", "seed: '\(long)'\n", "? \(long)\n: 1\n", "training: {? \(long) : 1}\n",
      "model: {architecture: resblock, widths: [\(long)]}\n", "output: {folder: ~\(long)}\n",
      "seed: \"\\e[2J\\n\\u202e\\u2028\"\n",
    ] {
      let found = faults(text)
      #expect(found.count == 1 && found[0].utf8.count < 300, "\(found)")
      #expect(
        found[0].unicodeScalars.allSatisfy {
          ![.control, .lineSeparator].contains($0.properties.generalCategory)
            && $0 != "\u{202E}"
        }, "\(found)")
    }
    #expect(faults("", ["seed=\(long)"])[0].utf8.count < 400)
    let text = (0..<7000).map { "k\($0): 1\n" }.joined()
    let clock = ContinuousClock()
    let time = clock.measure {
      let error = #expect(throws: ConfigurationError.self) { try read(text) }
      let lines = error?.description.split(separator: "\n") ?? []
      #expect(lines.count == 22)
      guard lines.count == 22 else { return }
      #expect(lines[20] == "and 6980 more" && lines[21] == "7000 errors in the configuration")
    }
    #expect(time < .seconds(2))
  }

  @Test("for a misspelled section the right one is suggested")
  func section() {
    expectFault("trainig:\n  steps: 5\n", "1:1", "trainig; did you mean training?")
    #expect(faults("trainig:\n  steps: 5\n  lr: 1\n").count == 2)
  }

  @Test("a dotted key in a file is refused, since it would duplicate its section")
  func dottedKey() {
    #expect(!faults("model:\n  hidden: 4\nmodel.hidden: 6\n").isEmpty)
  }

  @Test("all faults are reported at once, in the order of the file")
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

  @Test("faults that involve several fields are reported at one of them")
  func faultsOfTheWhole() {
    expectFault("model:\n  hidden: 7\n", "2:11", "model.hidden: expected an even number")
    expectFault(
      "seed: 2\n\ndata:\n  validation: 0.5\n  kind: cifar10\n", "5:9",
      "data.root: expected the folder of the batch files")
    #expect(faults("data: {kind: cifar10}\n", needsData: false).isEmpty)
    #expect(faults("data: {kind: cifar10, root: x}\n").isEmpty)
  }

  @Test("faults that involve several fields are reported in the order of the file too")
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
        c.yaml:2:7: error: seed: expected a whole number of at least 0, found x
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
    ("flaw", ["lawn"], "lawn"),  // 2 of 4: half is accepted
    ("saturday", ["sunday"], "sunday"),  // 3 of 6
    ("abcdefghij", ["abcdef"], nil),  // 4
    ("ab", ["xyb"], nil),  // 2 of 3: more than half
    ("hiden", ["hidden", "hide"], "hidden"),  // the first of equally near ones
    ("hiden", ["hide", "hidden"], "hide"),
    ("steps", ["step", "steps"], "steps"),
    ("", ["a", "abcd"], nil),
    ("x", [], nil),
    ("abcd", ["abdc"], "abdc"),  // an exchange is two replacements
    ("ünïcode", ["unicode"], "unicode"),
    ("training.stpes", ["training.steps", "training.threads"], "training.steps"),
  ]

  @Test("the nearest word is suggested, up to three edits and half of its length", arguments: cases)
  func nearest(_ example: (word: String, candidates: [String], expected: String?)) {
    #expect(suggestion(for: example.word, among: example.candidates) == example.expected)
  }
}
