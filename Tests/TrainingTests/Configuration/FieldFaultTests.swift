import Configurations
import Testing

/// Values of the wrong type or out of range.
@Suite("Faults of fields")
struct FieldFaultTests {
  static let types = [
    BadYAML(
      "seed: \"1\"\n", "1:7",
      "seed: expected a whole number of at least 0, found the text '1' in quotation marks; write 1"),
    BadYAML("seed: '1'\n", "1:7", "found the text '1' in quotation marks; write 1"),
    BadYAML("seed: 'x'\n", "1:7", "found the text 'x' in quotation marks"),
    BadYAML("seed: !!str 1\n", "1:7", "found the text '1' in quotation marks; write 1"),
    BadYAML(
      "training:\n  learning_rate: '1e-3'\n", "2:18",
      "found the text '1e-3' in quotation marks; write 1e-3"),
    BadYAML(
      "model: {architecture: resblock, widths: ['64', 32]}\n", "1:41",
      "found [64, 32] with text in quotation marks; write [64, 32]"),
    BadYAML("seed: |\n  1\n", "1:7", "seed: expected a whole number"),
    BadYAML(
      "seed: null\n", "1:7",
      "seed: the field has to have a value, found null; expected a whole number of at least 0; leave "
        + "the field out for its default, 1"),
    BadYAML("seed:\n", "1:6", "seed: the field has to have a value, found nothing"),
    BadYAML(
      "model:\n  hidden: ~\n", "2:11", "model.hidden: the field has to have a value, found ~"),
    BadYAML("model:\n  preset: Null\n", "2:11", "found Null; expected zalando or sonnet"),
    BadYAML(
      "model:\n  architecture: resblock\n  widths: null\n", "3:11",
      "leave the field out for its default, [64, 128, 128]"),
    BadYAML("quantizer:\n  init: 'null'\n", "2:9", "found the text 'null' in quotation marks"),
    BadYAML("output:\n  folder: \"\"\n", "2:11", "output.folder: expected a path, found the text"),
    BadYAML("seed: true\n", "1:7", "found true"),
    BadYAML("seed: 1 x\n", "1:7", "found 1 x"),
    BadYAML("training:\n  steps: [1, 2]\n", "2:10", "from 1 to 1000000000, found a list"),
    BadYAML("training:\n  steps: {a: 1}\n", "2:10", "from 1 to 1000000000, found a section"),
    BadYAML("seed: {a: 1}\n", "1:7", "found a section"),
    BadYAML(
      "data:\n  root: [a]\n  kind: cifar10\n", "2:9", "data.root: expected a path, found a list"),
    BadYAML("data:\n  kind: {a: 1}\n", "2:9", "expected cifar10 or synthetic, found a section"),
    BadYAML("data:\n  kind: cifar\n", "2:9", "expected cifar10 or synthetic, found cifar"),
    BadYAML("data: {kind: Synthetic}\n", "1:14", "found Synthetic"),
    BadYAML("model:\n  preset: mine\n", "2:11", "expected zalando or sonnet"),
    BadYAML(
      "model:\n  architecture: unet\n", "2:17",
      "expected residual, strided, resblock or hierarchical, found unet"),
    BadYAML("quantizer:\n  kind: pq\n", "2:9", "expected vq, ema,"),
    BadYAML(
      "quantizer:\n  ema_unused: no\n  kind: ema\n", "2:15", "expected keep or origin, found no"),
    BadYAML(
      "quantizer:\n  straight_through: ste\n", "2:21", "expected function, detach or rotation"),
    BadYAML("quantizer:\n  distances: cdist\n", "2:14", "expected addmm or exact"),
    BadYAML("quantizer:\n  weighting: none\n", "2:14", "expected paper or both"),
    BadYAML("training:\n  schedule: linear\n", "2:13", "expected constant or cosine"),
    BadYAML("training:\n  reconstruction: mae\n", "2:19", "expected nmse or mse"),
    BadYAML("training:\n  reduction: sum\n", "2:14", "expected mean or mean_times_batch"),
  ]

  @Test("a value of the wrong type is reported at its place", arguments: types)
  func wrongType(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  static let integers = [
    "1.5", "1.0", "1e3", "0x10", "0b1", "0o7", "1_000", "1,000", ".nan", "NaN", ".inf", "-.inf",
    "1e999", "99999999999999999999999", "\"5\"", "٣", "５", "5 %", "--5", "0x", "five",
  ]

  @Test("a whole number is written in decimal digits", arguments: integers)
  func wholeNumber(_ text: String) {
    expectFault(yaml("training.steps", text), "2:10", "training.steps: expected a whole number")
  }

  static let reals = [
    ".nan", "nan", ".NaN", ".inf", "inf", "-.inf", "infinity", "1e999", "-1e999", "0x1p3", "0x10",
    "0,1", "1_0.5", "١", "\"0.5\"", "half", "1e", "e5", "0.1f", "0.5 0.5", "1e-5e",
  ]

  @Test("a number is finite and decimal", arguments: reals)
  func number(_ text: String) {
    expectFault(
      yaml("quantizer.commitment", text), "2:15", "quantizer.commitment: expected a number")
  }

  @Test(
    "a number may have a sign and an exponent",
    arguments: [
      ("0.5", 0.5), ("5", 5), ("1e-3", 1e-3), ("1E3", 1e3), ("+2.5e+1", 25), (".5", 0.5), ("0", 0),
    ])
  func goodNumber(_ text: String, _ value: Double) throws {
    #expect(try read(yaml("quantizer.commitment", text)).quantizer.codebook.commitment == value)
  }

  /// The least and the greatest value of each field with a range, and values just outside.
  static let ranges: [(key: String, inside: [String], outside: [String])] = [
    ("seed", ["0", "18446744073709551615"], ["-1", "18446744073709551616"]),
    ("data.validation", ["0", "0.999999"], ["-0.000001", "1"]),
    ("data.images", ["1", "1000000"], ["0", "1000001"]),
    ("data.side", ["8", "512"], ["7", "513"]),
    ("model.hidden", ["2", "4096"], ["1", "4097", "0", "-2"]),
    ("model.residual_layers", ["0", "64"], ["-1", "65"]),
    ("model.residual_hidden", ["1", "4096"], ["0", "4097"]),
    // Widths must be multiples of the default 32 groups, and groups must divide the default widths 64, 128.
    (
      "model.widths", ["[32]", "[4096, 64, 32]", "[32, 32, 32, 32, 32, 32, 32, 32]"],
      ["[]", "[0]", "[4097]", "[64, -1]", "[1.5]", "64", "[1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    ),
    ("model.blocks", ["1", "64"], ["0", "65"]),
    ("model.groups", ["1", "64"], ["0", "4097"]),
    ("model.norm_epsilon", ["1e-12", "0.999"], ["0.99e-12", "1"]),
    ("model.dropout", ["0", "0.999"], ["-0.1", "1"]),
    ("quantizer.codebook_size", ["1", "1048576"], ["0", "1048577"]),
    ("quantizer.dimension", ["1", "4096"], ["0", "4097"]),
    ("quantizer.commitment", ["0", "999999.9"], ["-0.1", "1000000"]),
    ("quantizer.entropy", ["0", "999999.9"], ["-0.1", "1000000"]),
    ("quantizer.diversity", ["0", "999999.9"], ["-0.1", "1000000"]),
    ("quantizer.temperature", ["0.001", "999999.9"], ["0.0009", "0", "1000000"]),
    ("quantizer.entropy_decay", ["0", "0.99999"], ["-0.1", "1"]),
    ("quantizer.decay", ["0", "0.99999"], ["-0.1", "1"]),
    ("quantizer.epsilon", ["1e-12", "0.999"], ["0.99e-12", "0", "1"]),
    ("quantizer.restart_every", ["1", "1000000"], ["0", "1000001"]),
    ("quantizer.restart_until", ["1", "1000000000"], ["0", "1000000001"]),
    ("quantizer.restart_below", ["1e-6", "0.999"], ["0.99e-6", "1"]),
    // They have to divide the default dimension 64.
    ("quantizer.groups", ["1", "64"], ["0", "257"]),
    ("quantizer.stages", ["1", "32"], ["0", "33"]),
    ("quantizer.stage_dropout", ["0", "0.999"], ["-0.1", "1"]),
    (
      "quantizer.levels",
      ["[2]", "[1000, 1000]", "[2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]"],
      [
        "[]", "[1]", "[1001]", "[8, -1]", "[1.5]", "8",
        "[2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]",
      ]
    ),
    ("quantizer.bits", ["2", "18"], ["1", "19"]),
    ("training.steps", ["1", "1000000000"], ["0", "1000000001", "-5"]),
    ("training.batch_size", ["1", "65536"], ["0", "65537"]),
    ("training.shard_images", ["1", "1024"], ["0", "1025"]),
    ("training.learning_rate", ["1e-12", "9.9e11"], ["0.99e-12", "0", "-1", "1e12"]),
    // With a constant rate, at most training.steps.
    ("training.warmup_steps", ["0", "10000"], ["-1", "1000000001"]),
    // With a constant rate, only 0 is allowed; for a cosine, see OptimizerFaultTests.
    ("training.final_learning_rate", ["0"], ["-0.1", "1e12"]),
    // Less than 1 over the learning rate, which is 3e-4 here.
    ("training.weight_decay", ["0", "3333"], ["-0.1", "1000000"]),
    ("training.clip_norm", ["1e-12", "9.9e11"], ["0.99e-12", "0", "-1", "1e12"]),
    ("training.threads", ["1", "1024"], ["0", "1025"]),
    ("training.checkpoint_every", ["0", "1000000000"], ["-1", "1000000001"]),
    ("training.validate_every", ["0", "1000000000"], ["-1", "1000000001"]),
    ("training.log_every", ["1", "1000000000"], ["0", "1000000001"]),
  ]

  @Test("the product of levels has a limit, and entropies without weight have no other fields")
  func quantizers() {
    expectFault(
      "quantizer:\n  kind: fsq\n  levels: [1000, 1000, 2]\n", "3:11",
      "quantizer.levels: expected at most 1048576 codes, the product of the levels, found [1000, 1000, 2]"
    )
    expectFault(
      "quantizer:\n  kind: lfq\n  entropy: 0\n  temperature: 2\n", "4:16",
      "quantizer.temperature: has no effect with quantizer.entropy 0; leave it out")
    expectFault(
      "quantizer: {kind: lfq, diversity: 0, entropy_decay: 0.25}\n", "1:53",
      "quantizer.entropy_decay: has no effect with quantizer.diversity 0; leave it out")
  }

  @Test("a range includes its bounds and nothing beyond", arguments: ranges)
  func range(_ field: (key: String, inside: [String], outside: [String])) {
    for value in field.inside { #expect(faults(yaml(field.key, value)).isEmpty, "\(value)") }
    for value in field.outside {
      let found = faults(yaml(field.key, value))
      #expect(found.count == 1, "\(value): \(found)")
      #expect(found.first?.contains("\(field.key): expected a") == true, "\(found)")
      #expect(found.first?.hasSuffix("found \(value)") == true, "\(found)")
    }
  }

  @Test("the table above has every field with a range")
  func rangesAreComplete() {
    let numeric = Configuration.fields.filter { $0.domain.expected.contains("number") }.map(\.name)
    #expect(Self.ranges.map(\.key) == numeric)
  }
}
