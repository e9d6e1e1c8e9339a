import Testing
import Training

/// Anchors and aliases can turn a small file into a huge document; the reader refuses them unexpanded.
@Suite("Anchors and aliases")
struct AliasTests {
  static let simple = [
    BadYAML("seed: &a 1\n", "1:7", "anchors and aliases"),
    BadYAML("seed: *a\n", "1:7", "anchors and aliases"),
    BadYAML("output: {folder: *a}\n", "1:18", "anchors and aliases"),
    BadYAML("&a seed: 1\n", "1:1", "anchors and aliases"),
    BadYAML("&a\nseed: 1\n", "1:1", "anchors and aliases"),
    BadYAML("*a : 1\n", "1:1", "anchors and aliases"),
    BadYAML("model: {architecture: resblock, groups: *a}\n", "1:41", "anchors and aliases"),
    BadYAML(
      "model: {architecture: resblock, widths: [&a 32]}\n", "1:42", "anchors and aliases"),
    BadYAML("model: &m {hidden: 4}\n", "1:8", "anchors and aliases"),
    BadYAML("model: *m\n", "1:8", "anchors and aliases"),
    BadYAML("model: {*m : 4}\n", "1:9", "anchors and aliases"),
    BadYAML("seed: !!int &a 1\n", "1:7", "anchors and aliases"),
    BadYAML("? *a\n: 1\n", "1:3", "anchors and aliases"),
  ]

  @Test("an anchor or alias is refused at its place", arguments: simple)
  func refused(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  static let innocent = [
    "seed: 1 # &x *y\n", "# *a\nseed: 1\n", "output: {folder: \"x &a\"}\n",
    "output: {folder: 'x *a'}\n",
    "output: {folder: a&b}\n", "output: {folder: runs/*}\n", "output: {folder: x*}\n",
    "# R&D: *D* is the width\nseed: 1\n", "# see a?seed=1&lr=2 and *lr*\nseed: 1\n",
    "output: {folder: a&b/*b}\n", "output: {folder: '&a *a'} # &a *a\n",
  ]

  @Test("& and * in comments, quotes and words are not anchors or aliases", arguments: innocent)
  func allowed(_ text: String) { #expect(faults(text) == []) }

  @Test(
    "& and * inside a plain path are not anchors or aliases",
    arguments: [
      "Tom & Jerry", "a -*b", "a-*b", "x,&y", "what?*",
    ])
  func allowedInPath(_ path: String) {
    #expect(faults("output:\n  folder: \(path)\n") == [])
  }

  /// Forty levels of lists, values and keys, with more than 2⁴⁰ leaves.
  ///
  /// - Parameters:
  ///   - guardWord: the text that precedes each anchor in its list.
  ///   - item: makes the text that refers to the level below from an alias.
  static func bomb(_ guardWord: String, _ item: (String) -> String) -> String {
    var text = "a0: [\(guardWord)&a0 [x, x, x, x, x, x, x, x, x]]\n"
    for level in 1...40 {
      text += "a\(level): [\(guardWord)&a\(level) \(item("*a\(level - 1)"))]\n"
    }
    return text
  }

  static let items: [@Sendable (String) -> String] = [
    { "[\($0), \($0), \($0)]" }, { "{? \($0) : \($0), ? [\($0)] : \($0)}" },
    { "{? {\($0) : \($0)} : \($0), b: \($0)}" },
  ]

  @Test("a billion laughs are refused, unexpanded", arguments: ["", "'o', ", "\"o\", ", "'''', "])
  func billionLaughs(guardWord: String) {
    for item in Self.items {
      let clock = ContinuousClock()
      var found: [String] = []
      let time = clock.measure { found = faults(Self.bomb(guardWord, item)) }
      let signs = found.filter { $0.contains("anchors and aliases") }
      #expect(signs.count >= 41 + 3 * 40, "\(found.count)")
      #expect(time < .seconds(2))
    }
  }

  /// Quotation marks that do not open or close a quotation.
  @Test("no quotation mark hides an anchor", arguments: ["o', ", "o\", ", "\"\\\"\", "])
  func hiddenAnchor(guardWord: String) {
    for item in Self.items {
      let found = faults(Self.bomb(guardWord, item))
      #expect(found.contains { $0.contains("anchors and aliases") }, "\(found)")
    }
  }

  @Test("a quotation over several lines does not hide an anchor")
  func quotationOverLines() {
    let found = faults("seed: 1\ndata: {root: \"x\n  y\", kind: &a cifar10}\n")
    #expect(found.count == 1 && found[0].contains("c.yaml:3:13: anchors and aliases"), "\(found)")
  }

  @Test("each anchor and alias is reported, with the other faults of the file")
  func withOthers() {
    let found = faults("seed: &a x\ntraining: {steps: *a, lr: *b}\n<<: *c\n")
    #expect(
      found.map { $0.split(separator: ": ")[0] } == [
        "c.yaml:1:7", "c.yaml:1:7", "c.yaml:2:19", "c.yaml:2:23", "c.yaml:2:27", "c.yaml:3:1",
        "c.yaml:3:5",
      ])
  }
}
