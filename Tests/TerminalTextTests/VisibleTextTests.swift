import TerminalText
import Testing

@Suite("Visible text")
struct VisibleTextTests {
  @Test(
    "control, bidi and line characters are shown, not sent",
    arguments: [
      ("a\u{1B}[31mb", "a\\u{1B}[31mb"), ("\u{7F}", "\\u{7F}"), ("\u{9B}2J", "\\u{9B}2J"),
      ("\u{202E}gnp.exe", "\\u{202E}gnp.exe"), ("\u{2066}", "\\u{2066}"), ("\u{200E}", "\\u{200E}"),
      ("a\nb\tc\r", "a\\nb\\tc\\r"), ("\u{2028}", "\\u{2028}"), ("\0", "\\u{00}"),
      ("\u{E0041}", "\\u{E0041}"), ("\u{FEFF}", "\\u{FEFF}"), ("\r\n", "\\r\\n"),
    ])
  func unsafe(text: String, shown: String) { #expect(visible(text) == shown) }

  @Test(
    "everything that can be read stays",
    arguments: ["", "plain text", "Grüße, ×, 東京", "👩‍👩‍👧 ❤️ 🇩🇪", "e\u{301}", "نمی‌خواهم"])
  func safe(text: String) { #expect(visible(text) == text) }

  @Test("of our own format the named characters stay")
  func layout() {
    #expect(visible("a\tb\n\u{1B}", keeping: ["\n", "\t"]) == "a\tb\n\\u{1B}")
    // A pair that Swift takes for one character.
    #expect(visible("a\r\nb", keeping: ["\n"]) == "a\\r\nb")
  }

  @Test("bytes that are not UTF-8 are shown by their numbers")
  func bytes() {
    #expect(visible(Array("a b".utf8) + [0xE9, 0x1B, 0x7F, 0x00]) == "a b\\xE9\\x1B\\x7F\\x00")
  }

  @Test("JSON keeps its meaning")
  func json() {
    #expect(
      visibleJSON("{\n  \"a\": \"\u{7F}\u{9B}\u{202E}\u{E0041}é\"\n}")
        == "{\n  \"a\": \"\\u007F\\u009B\\u202E\\uDB40\\uDC41é\"\n}")
  }

  @Test("a long text is cut, and says how much is missing")
  func cut() {
    #expect(truncated("abcdef", to: 6) == "abcdef")
    #expect(truncated("abcdef", to: 5) == "abcde… (1 more character)")
    #expect(truncated("abcdef", to: 0) == "… (6 more characters)")
    #expect(truncated("", to: 0) == "")
    // One character of very many scalars.
    let tower = "a" + String(repeating: "\u{301}", count: 10_000)
    #expect(truncated(tower, to: 100).hasSuffix("… (9901 more characters)"))
  }

  @Test("one of a thing is in the singular")
  func plurals() {
    #expect([0, 1, 2].map { counted($0, "step") } == ["0 steps", "1 step", "2 steps"])
  }

  @Test(
    "a word is quoted as a shell needs it",
    arguments: [
      ("runs/a-1", "runs/a-1"), ("my run", "'my run'"), ("it's", "'it'\\''s'"), ("", "''"),
      ("~x", "'~x'"), ("é", "'é'"), ("a\nb", "$'a\\012b'"), ("\u{1B}7'\\", "$'\\0337\\'\\\\'"),
      ("\u{9B}", "$'\\302\\233'"),
    ])
  func shell(word: String, quoted: String) { #expect(shellWord(word) == quoted) }

  @Test("a word of bytes that are not UTF-8 is quoted by their numbers")
  func shellBytes() { #expect(shellWord(Array("caf".utf8) + [0xE9]) == "$'caf\\351'") }
}
