import TerminalText
import Testing

@Suite("Layout of lines")
struct LayoutTests {
  @Test(
    "the display width counts wide characters twice and combining marks not at all",
    arguments: [
      ("", 0), ("step 3/64", 9), ("32×32", 5), ("é", 1), ("e\u{301}", 1), ("東京", 4), ("ｆ", 2),
      ("한", 2), ("🙂", 2), ("❤️", 2), ("…", 1), ("→", 1), ("ｱ", 1),
    ])
  func width(text: String, columns: Int) { #expect(displayWidth(text) == columns) }

  private static let words =
    "residual (hidden 16, layers 1): 11339 trained parameters; quantizer vq, 32 codewords; run "
    + "folder runs/東京-café-🙂 of 32×32"

  @Test("wrapping keeps every word and its order, at any width")
  func wrapping() {
    for width in 1...300 {
      let lines = wrapped(Self.words, width: width)
      #expect(
        lines.flatMap { $0.split(separator: " ") } == Self.words.split(separator: " "), "\(width)")
      #expect(!lines[0].hasPrefix(" ") && lines.dropFirst().allSatisfy { $0.hasPrefix("  ") })
      for line in lines where displayWidth(line) > width {
        #expect(line.split(separator: " ").count == 1, "\(width): \(line)")
      }
    }
    #expect(wrapped(Self.words, width: 300) == [Self.words])
    #expect(wrapped("", width: 10) == [""])
    #expect(wrapped("  a  b", width: 10) == ["  a  b"])
    #expect(wrapped("aa bb cc", width: 5) == ["aa bb", "  cc"])
  }

  @Test("lines are broken between fields first, and within a field only if it is too wide")
  func fields() {
    let fields = ["step 3/9", "validation: nmse 0.5", "psnr 12.31 dB"]
    #expect(wrapped(fields, width: 100) == ["step 3/9  validation: nmse 0.5  psnr 12.31 dB"])
    #expect(
      wrapped(fields, width: 24) == ["step 3/9", "  validation: nmse 0.5", "  psnr 12.31 dB"])
    #expect(
      wrapped(fields, width: 20) == [
        "step 3/9", "  validation: nmse", "  0.5  psnr 12.31 dB",
      ])
  }

  @Test("leadingWords returns the words that fit")
  func leading() {
    #expect(leadingWords("measuring kernel 12", width: 16) == "measuring kernel")
    #expect(leadingWords("measuring kernel 12", width: 15) == "measuring")
    #expect(leadingWords("measuring kernel 12", width: 8) == "")
  }

  private static let fields = [
    ProgressField("step 40/64", short: "40/64", alone: "40", rank: 0),
    ProgressField("loss 0.1234", short: "loss 0.123", rank: 1),
    ProgressField("nmse 0.1234", short: "nmse 0.123", rank: 3),
    ProgressField("codes 12/32", short: "12/32", rank: 4),
    ProgressField("ETA 1:02", short: "1:02", rank: 2),
  ]

  @Test("a progress line has complete fields only, at any width")
  func progress() {
    let long = "step 40/64  loss 0.1234  nmse 0.1234  codes 12/32  ETA 1:02"
    var lengths: [Int] = []
    for width in 0...300 {
      let line = progressLine(Self.fields, width: width)
      #expect(displayWidth(line) <= width)
      let expected =
        switch width {
        case 0..<2: ""
        case 2..<5: "40"
        case 5..<16: "40/64"
        case 16..<21: "40/64 loss 0.123"
        case 21..<32: "40/64 loss 0.123 1:02"
        case 32..<38: "40/64 loss 0.123 nmse 0.123 1:02"
        case 38..<long.count: "40/64 loss 0.123 nmse 0.123 12/32 1:02"
        default: long
        }
      #expect(line == expected, "\(width)")
      lengths.append(line.count)
    }
    #expect(lengths == lengths.sorted())
    #expect(progressLine([], width: 80) == "")
  }
}
