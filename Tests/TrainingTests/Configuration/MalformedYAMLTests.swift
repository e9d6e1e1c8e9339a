import Configurations
import Testing

/// Texts that are not YAML, or YAML of the wrong structure.
@Suite("Malformed YAML")
struct MalformedYAMLTests {
  static let syntax = [
    BadYAML("data:\n\tkind: synthetic\n", "2:1", "cannot start any token"),
    BadYAML("data:\n  root: @x\n", "2:9", "cannot start any token"),
    BadYAML("data:\n  root: `x\n", "2:9", "cannot start any token"),
    BadYAML("data:\n  root: a: b\n", "2:10", "mapping values are not allowed"),
    BadYAML("data: {kind: synthetic\n", "2:1", "did not find expected ',' or '}'"),
    BadYAML("data:\n  root: \"abc\n", "3:1", "unexpected end of stream"),
    BadYAML("data:\n  kind: synthetic\n root: x\n", "3:2", "did not find expected key"),
    BadYAML(": 1\n", "1:1", "did not find expected key"),
    BadYAML("%YAML 9.9\n---\nseed: 1\n", "1:1", "incompatible"),
    BadYAML("seed: 1\n---\nseed: 2\n", "2:1", "another document"),
    BadYAML(String(repeating: "[", count: 65_000), "1:1", "nesting"),
    BadYAML("a: " + String(repeating: "[", count: 17), "1:19", "nesting"),
    BadYAML(String(repeating: "{a: ", count: 16_000), "1:62", "nesting"),
    BadYAML(String(repeating: "? ", count: 32_000), "1:33", "nesting"),
  ]

  @Test("a syntax error is reported at its place", arguments: syntax)
  func syntaxFault(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  static let characters = [
    BadYAML("seed: \u{1}\n", "1:7", "control characters are not allowed, found U+0001"),
    BadYAML("seed: 1\0\n", "1:8", "a NUL byte"),
    BadYAML("data:\n  root: a\u{7}b\n", "2:10", "control characters"),
    BadYAML("# é 👩‍👩‍👧\r\ndata:\r\n  root: é\u{7}b\r\n", "3:10", "control characters"),
  ]

  @Test("a character that YAML does not allow is reported at its place", arguments: characters)
  func characterFault(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  static let shapes = [
    BadYAML("- seed\n", "1:1", "expected a mapping of keys to values"),
    BadYAML("\n\n- seed: 1\n", "3:1", "expected a mapping of keys to values"),
    BadYAML("seed\n", "1:1", "expected a mapping of keys to values"),
    BadYAML("5\n", "1:1", "expected a mapping of keys to values"),
    BadYAML("seed:\u{A0}1\n", "1:1", "expected a mapping of keys to values"),
    BadYAML("data: 5\n", "1:7", "data: expected a section"),
    BadYAML(
      "data:\n", "1:6",
      "data: expected a section of indented keys, found none; leave data out"),
    BadYAML("data: [kind]\n", "1:7", "data: expected a section"),
    BadYAML("data:\n- kind: synthetic\n", "2:1", "data: expected a section"),
    BadYAML("? [seed]\n: 1\n", "1:3", "a key has to be a word"),
    BadYAML("? {a: b}\n: 1\n", "1:3", "a key has to be a word"),
    BadYAML("model:\n  ? [hidden]\n  : 4\n", "2:5", "a key has to be a word"),
  ]

  @Test("a wrong structure is reported at its place", arguments: shapes)
  func shapeFault(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  static let duplicates = [
    BadYAML(
      "seed: 1\nmodel:\n  hidden: 4\nseed: 2\n", "4:1",
      "the key seed occurs twice; it is in line 1 already"),
    BadYAML("seed: 1\n\"seed\": 2\n", "2:1", "seed occurs twice; it is in line 1"),
    BadYAML(
      "model:\n  hidden: 4\n  preset: sonnet\n  hidden: 6\n", "4:3",
      "model.hidden occurs twice; it is in line 2"),
    BadYAML(
      "data:\n  images: 1\nseed: 1\ndata:\n  images: 4\n", "4:1",
      "data occurs twice; it is in line 1"),
  ]

  @Test("a duplicate key is refused", arguments: duplicates)
  func duplicateFault(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  @Test("a duplicate key does not hide other faults")
  func duplicateAmongOthers() {
    let found = faults("seed: 1\nsed: 2\nmodel: {hidden: 3, hidden: 4}\nseed: x\nseed: &a 3\n")
    #expect(
      found.map { $0.split(separator: ": ")[0] } == [
        "c.yaml:2:1", "c.yaml:3:20", "c.yaml:4:1", "c.yaml:4:7", "c.yaml:5:1", "c.yaml:5:7",
      ], "\(found)")
  }

  static let empty = [
    "", "\n\n", "  \n", "# nothing\n\n  # here\n", "---\n", "null\n", "~", "\u{FEFF}",
  ]

  @Test("the message for an empty text says where to find examples", arguments: empty)
  func emptyText(_ text: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationReader.read(yaml: text, name: "c.yaml", overrides: ["seed=3"])
    }
    #expect(error?.faults.map(\.place) == ["c.yaml:1:1"])
    let message = error?.faults.first?.message ?? ""
    #expect(message.contains("empty") && message.contains("configs/demo.yaml"))
    #expect(message.contains("docs/configuration.md"))
  }

  @Test("for a text that is not YAML, the syntax error is the only fault")
  func consequences() {
    let found = faults("data: {root: x\n", ["data.kind=cifar10"])
    #expect(found.count == 1 && found[0].contains("did not find expected"), "\(found)")
  }

  @Test("the size limit also holds for texts that do not come from a file")
  func size() {
    let comment = "seed: 1\n#"
    let long = String(repeating: "#", count: 65_536 - comment.utf8.count)
    #expect(faults(comment + long) == [])
    #expect(
      faults(comment + long + "#") == [
        "c.yaml:1:1: the configuration has 65537 bytes; expected at most 65536"
      ])
  }

  static let harmless = [
    "{}", "'seed': 1\n", "!!map {seed: !!int 1}\n", "---\nseed: 1\n", "seed: 1\n...\n",
    "\u{FEFF}seed: 1\n", "seed:\t1\n", "seed: 1\r\ndata: {}\r\n", "{seed: 1}", "seed: 1  # one\n",
  ]

  @Test(
    "comments, byte order marks and Windows line ends are accepted", arguments: harmless)
  func harmlessText(_ text: String) throws {
    #expect(try read(text) == read(""))
  }

  @Test("lines and columns are right after a byte order mark and with CR LF")
  func placesInUnusualFiles() {
    #expect(faults("\u{FEFF}seed: x\n").map { $0.prefix(10) } == ["c.yaml:1:7"])
    #expect(
      faults("seed: x\r\nmodel:\r\n  hiden: 3\r\n").map { $0.prefix(11) }
        == ["c.yaml:1:7:", "c.yaml:3:3:"])
  }
}
