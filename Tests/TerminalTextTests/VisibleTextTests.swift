import TerminalText
import Testing

@Suite("Visible text")
struct VisibleTextTests {
  @Test(
    "control characters, bidi overrides and line separators are escaped",
    arguments: [
      ("a\u{1B}[31mb", "a\\u{1B}[31mb"), ("\u{7F}", "\\u{7F}"), ("\u{9B}2J", "\\u{9B}2J"),
      ("\u{202E}gnp.exe", "\\u{202E}gnp.exe"), ("\u{2066}", "\\u{2066}"), ("\u{200E}", "\\u{200E}"),
      ("a\nb\tc\r", "a\\nb\\tc\\r"), ("\u{2028}", "\\u{2028}"), ("\0", "\\u{00}"),
      ("\u{E0041}", "\\u{E0041}"), ("\u{FEFF}", "\\u{FEFF}"), ("\r\n", "\\r\\n"),
    ])
  func unsafe(text: String, shown: String) { #expect(visible(text) == shown) }

  @Test(
    "readable text is unchanged",
    arguments: ["", "plain text", "Grüße, ×, 東京", "👩‍👩‍👧 ❤️ 🇩🇪", "e\u{301}", "نمی‌خواهم"])
  func safe(text: String) { #expect(visible(text) == text) }

  @Test("the layout characters of our own format are kept")
  func layout() {
    #expect(visible("a\tb\n\u{1B}", keeping: ["\n", "\t"]) == "a\tb\n\\u{1B}")
    // CRLF is one Character in Swift.
    #expect(visible("a\r\nb", keeping: ["\n"]) == "a\\r\nb")
  }

  @Test("bytes other than printable ASCII are shown in hexadecimal")
  func bytes() {
    #expect(visible(Array("a b".utf8) + [0xE9, 0x1B, 0x7F, 0x00]) == "a b\\xE9\\x1B\\x7F\\x00")
  }

  @Test("JSON with escapes keeps its meaning")
  func json() {
    #expect(
      visibleJSON("{\n  \"a\": \"\u{7F}\u{9B}\u{202E}\u{E0041}é\"\n}")
        == "{\n  \"a\": \"\\u007F\\u009B\\u202E\\uDB40\\uDC41é\"\n}")
  }

  @Test("a long text is truncated, with the number of characters left out")
  func cut() {
    #expect(truncated("abcdef", to: 6) == "abcdef")
    #expect(truncated("abcdef", to: 5) == "abcde… (1 more character)")
    #expect(truncated("abcdef", to: 0) == "… (6 more characters)")
    #expect(truncated("", to: 0) == "")
    // One Character of very many scalars.
    let tower = "a" + String(repeating: "\u{301}", count: 10_000)
    #expect(truncated(tower, to: 100).hasSuffix("… (9901 more characters)"))
  }

  @Test("a count of one takes the singular")
  func plurals() {
    #expect([0, 1, 2].map { counted($0, "step") } == ["0 steps", "1 step", "2 steps"])
  }

  @Test(
    "a word is quoted for a shell if necessary",
    arguments: [
      ("runs/a-1", "runs/a-1"), ("my run", "'my run'"), ("it's", "'it'\\''s'"), ("", "''"),
      ("~x", "'~x'"), ("é", "'é'"), ("a\nb", "$'a\\012b'"), ("\u{1B}7'\\", "$'\\0337\\'\\\\'"),
      ("\u{9B}", "$'\\302\\233'"),
    ])
  func shell(word: String, quoted: String) { #expect(shellWord(word) == quoted) }

  @Test("bytes that are not UTF-8 are quoted as octal escapes")
  func shellBytes() { #expect(shellWord(Array("caf".utf8) + [0xE9]) == "$'caf\\351'") }
}
