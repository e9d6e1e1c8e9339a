import Testing
import Training

/// Anchors and aliases make a small file a large document; the reader refuses them unexpanded.
@Suite("Anchors and aliases")
struct AliasTests {
  static let simple = [
    BadYAML("seed: &a 1\n", "1:7", "anchors and aliases"),
    BadYAML("seed: *a\n", "1:7", "anchors and aliases"),
    BadYAML("data: {root: *a}\n", "1:14", "anchors and aliases"),
    BadYAML("&a seed: 1\n", "1:1", "anchors and aliases"),
    BadYAML("&a\nseed: 1\n", "1:1", "anchors and aliases"),
    BadYAML("*a : 1\n", "1:1", "anchors and aliases"),
    BadYAML("seed: 1\ndata: [x,*a]\n", "2:10", "anchors and aliases"),
    BadYAML("- &a 1\n", "1:3", "anchors and aliases"),
    BadYAML("? *a\n: 1\n", "1:3", "anchors and aliases"),
  ]

  @Test("an anchor or alias is refused at its place", arguments: simple)
  func refused(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  static let innocent = [
    "seed: 1 # &x *y\n", "# *a\nseed: 1\n", "data: {root: \"x &a\"}\n", "data: {root: 'x *a'}\n",
    "data: {root: a&b}\n", "data: {root: runs/*}\n", "data: {root: x*}\n",
  ]

  @Test("the two characters in comments, quotes and words are no anchors", arguments: innocent)
  func allowed(_ text: String) { #expect(faults(text) == []) }

  @Test(
    "in the middle of a plain path they are no anchors either",
    arguments: [
      "Tom & Jerry", "a -*b", "a-*b", "x,&y", "what?*",
    ])
  func allowedInPath(_ path: String) {
    #expect(faults("data:\n  root: \(path)\n") == [])
  }

  /// Nine levels of lists of nine: 387 million leaves.
  ///
  /// - Parameter guardWord: what stands before each anchor in its list.
  static func bomb(_ guardWord: String, asKey: Bool) -> String {
    var text = "a0: [\(guardWord)&a0 [x, x, x, x, x, x, x, x, x]]\n"
    for level in 1...8 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      text += "a\(level): [\(guardWord)&a\(level) [\(aliases)]]\n"
    }
    return text + (asKey ? "? [\(guardWord)*a8]\n: 1\n" : "")
  }

  @Test("a billion laughs are refused, unexpanded", arguments: [false, true])
  func billionLaughs(asKey: Bool) {
    for guardWord in ["", "'o', ", "\"o\", ", "'''', "] {
      let found = faults(Self.bomb(guardWord, asKey: asKey))
      #expect(found.count == 1 && found[0].contains("anchors and aliases"), "\(found)")
    }
  }

  /// Quotation marks that open no quotation, or do not end one.
  @Test("no quotation mark hides an anchor", arguments: ["o', ", "o\", ", "\"\\\"\", "])
  func hiddenAnchor(guardWord: String) {
    for asKey in [false, true] {
      let found = faults(Self.bomb(guardWord, asKey: asKey))
      #expect(found.count == 1 && found[0].contains("anchors and aliases"), "\(found)")
    }
  }

  @Test("a quotation over several lines hides no anchor")
  func quotationOverLines() {
    let found = faults("a: [\"x\n  y\", &a 1]\n")
    #expect(found.count == 1 && found[0].contains("anchors and aliases"), "\(found)")
  }
}
