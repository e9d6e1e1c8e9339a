import Files
import Foundation
import TestSupport
import Testing

/// What the program says of a codebook that has collapsed.
@Suite("A collapsed codebook on the command line", .timeLimit(.minutes(5)))
struct CollapseTests {
  /// The codewords are so far from the vectors that one is the nearest of all.
  private static let sets = [
    "quantizer.kind=vq", "quantizer.init=normal", "quantizer.dimension=64",
    "quantizer.codebook_size=256", "training.batch_size=8", "model.preset=sonnet",
  ]

  @Test("it is named once, in the metrics and in the last line, and the exit code is 0")
  func collapse() throws {
    try withTemporaryFolder { folder in
      let first = try train("run", Self.sets + ["training.steps=260"], in: folder)
      expect(
        first, 0, ": the codebook has collapsed: ", " of 256 codes, and since step ",
        "quantizer.restart_every, quantizer.init=kmeans, ", "docs/troubleshooting.md",
        "\ndone: 260 steps; codebook ")
      #expect(
        first.errors.firstMatch(of: /done: .*; codebook collapsed at step \d+: \d+ of 256 codes\n/)
          != nil)
      // The note is on standard error, as all notes are.
      #expect(!first.output.contains("collapsed"))

      let more = try runProgram(
        ["train", "--run", "run", "--resume", "--set", "training.steps=270"], in: folder)
      expect(more, 0, "done: 270 steps; codebook collapsed at step ")
      #expect(!more.errors.contains("has collapsed"), "\(more.errors)")
      let lines = try readText(folder + "/run/metrics.jsonl", limit: 1 << 22).split(separator: "\n")
      #expect(lines.last?.contains(#""states":["collapsed"]"#) == true)
    }
  }

  @Test("eval says that the codes are those of a collapsed codebook")
  func eval() throws {
    try withRun(Self.sets) { folder in
      let table = try runProgram(["eval", "run"], in: folder)
      expect(table, 0)
      #expect(table.output.contains(" of 256 (collapsed)\n"), "\(table.output)")
      let json = try runProgram(["eval", "run", "--json"], in: folder)
      #expect(try object(json.output)["collapsed"] as? Bool == true)
    }
    try withRun(["quantizer.kind=ema", "model.preset=sonnet", "quantizer.init=fan"]) { folder in
      let table = try runProgram(["eval", "run"], in: folder)
      #expect(!table.output.contains("collapsed"), "\(table.output)")
    }
  }
}
