import Testing
import Training

/// Texts that are no YAML, or YAML of the wrong shape.
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
    BadYAML(String(repeating: "[", count: 3000), "1:1", "nesting"),
  ]

  @Test("a fault of the syntax is reported at its place", arguments: syntax)
  func syntaxFault(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  static let characters = [
    BadYAML("seed: \u{1}\n", "1:7", "control characters"),
    BadYAML("seed: 1\0\n", "1:8", "control characters"),
    BadYAML("data:\n  root: a\u{7}b\n", "2:10", "control characters"),
    BadYAML("# é 👩‍👩‍👧\r\ndata:\r\n  root: é\u{7}b\r\n", "3:10", "control characters"),
  ]

  @Test("a character that YAML does not have is reported at its place", arguments: characters)
  func characterFault(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  static let shapes = [
    BadYAML("- seed\n", "1:1", "expected a mapping of keys to values"),
    BadYAML("\n\n- seed: 1\n", "3:1", "expected a mapping of keys to values"),
    BadYAML("seed\n", "1:1", "expected a mapping of keys to values"),
    BadYAML("5\n", "1:1", "expected a mapping of keys to values"),
    BadYAML("seed:\u{A0}1\n", "1:1", "expected a mapping of keys to values"),
    BadYAML("data: 5\n", "1:7", "data: expected a section"),
    BadYAML("data:\n", "1:6", "data: expected a section"),
    BadYAML("data: [kind]\n", "1:7", "data: expected a section"),
    BadYAML("data:\n- kind: synthetic\n", "2:1", "data: expected a section"),
    BadYAML("? [seed]\n: 1\n", "1:3", "a key has to be a word"),
    BadYAML("? {a: b}\n: 1\n", "1:3", "a key has to be a word"),
    BadYAML("model:\n  ? [hidden]\n  : 4\n", "2:5", "a key has to be a word"),
  ]

  @Test("a wrong shape is reported at its place", arguments: shapes)
  func shapeFault(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  static let duplicates = [
    BadYAML("seed: 1\nmodel:\n  hidden: 4\nseed: 2\n", "1:1", "\"seed\" occurs twice"),
    BadYAML("seed: 1\n\"seed\": 2\n", "1:1", "\"seed\" occurs twice"),
    BadYAML(
      "model:\n  hidden: 4\n  preset: sonnet\n  hidden: 6\n", "2:3", "\"hidden\" occurs twice"),
    BadYAML("data:\n  images: 1\nseed: 1\ndata:\n  images: 4\n", "1:1", "\"data\" occurs twice"),
  ]

  @Test("a key that occurs twice is refused", arguments: duplicates)
  func duplicateFault(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  static let harmless = [
    "", "\n\n", "  \n", "# nothing\n\n  # here\n", "---\nseed: 1\n", "seed: 1\n...\n",
    "\u{FEFF}seed: 1\n", "seed:\t1\n", "seed: 1\r\ndata: {}\r\n", "{seed: 1}", "seed: 1  # one\n",
  ]

  @Test(
    "empty files, comments, byte order marks and Windows line ends are fine", arguments: harmless)
  func harmlessText(_ text: String) throws {
    #expect(try read(text) == read(""))
  }

  @Test("line and column count from the file's start, behind a byte order mark and with CR LF")
  func placesInUnusualFiles() {
    #expect(faults("\u{FEFF}seed: x\n").map { $0.prefix(10) } == ["c.yaml:1:8"])
    #expect(
      faults("seed: x\r\nmodel:\r\n  hiden: 3\r\n").map { $0.prefix(11) }
        == ["c.yaml:1:7:", "c.yaml:3:3:"])
  }
}
