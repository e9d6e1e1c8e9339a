import Diagnostics
import Files
import TestSupport
import Testing

/// Flags, help and version.
@Suite("Usage", .timeLimit(.minutes(5)))
struct UsageTests {
  static let wrong: [(arguments: [String], message: String)] = [
    (["--bogus"], "Unknown option '--bogus'"),
    (["trian"], "trian"),
    (["train"], "Missing --config FILE"),
    (["train"], "See 'vqvae train --help'"),
    (["train", "--run", "x"], "Missing --config FILE"),
    (["train", "--resume"], "Missing --config FILE"),
    (["train", "--config"], "--config"),
    (["train", "--config", "c.yaml", "--threads", "0"], "from 1 to 1024, not 0"),
    (["train", "--config", "c.yaml", "--threads", "1025"], "from 1 to 1024, not 1025"),
    (["train", "--config", "c.yaml", "--threads", "two"], "'two' is invalid"),
    (["train", "--config", "c.yaml", "--resum"], "Did you mean '--resume'?"),
    (["eval"], "run-or-checkpoint"),
    (["eval", "x", "y"], "y"),
    (["eval", "x", "--split", "dev"], "'train', 'validation' or 'test'"),
    (["eval", "x", "--threads", "-1"], "--threads"),
    (["reconstruct", "x"], "--out"),
    (["reconstruct", "x", "--out", "x.png", "--count", "0"], "from 1 to 10000, not 0"),
    (["reconstruct", "x", "--out", "x.png", "--count", "10001"], "not 10001"),
    (["reconstruct", "x", "--out", "x.png", "--scale", "0"], "from 1 to 16, not 0"),
    (["reconstruct", "x", "--out", "x.png", "--scale", "17"], "not 17"),
    (["reconstruct", "x", "--out", "grid.jpg"], "ends in .png, not grid.jpg"),
    (["reconstruct", "x", "--out", "grid"], "ends in .png, not grid"),
    (["reconstruct", "x", "--out", "png"], "ends in .png, not png"),
    (["reconstruct", "x", "--out", "a.png/"], "ends in .png"),
    (["reconstruct", "x", "--out", "a/.png"], "ends in .png"),
    (["reconstruct", "x", "--out", ""], "ends in .png"),
    (["bench", "x"], "x"),
    (["bench", "--batch", "0"], "from 1 to 65536, not 0"),
    (["bench", "--batch", "65537"], "not 65537"),
    (["bench", "--steps", "0"], "from 1 to 1000000, not 0"),
    (["bench", "--warmup", "-1"], "--warmup"),
    (["bench", "--threads", "0"], "from 1 to 1024, not 0"),
    (["bench", "--kernel"], "Did you mean '--kernels'?"),
    (["demo", "a", "b"], "b"),
    (["demo", "--run", "x"], "Unknown option '--run'"),
    (["demo", "--threads", "0"], "from 1 to 1024, not 0"),
    (["doctor", "a", "b"], "b"),
    (["doctor", "--jsn"], "Did you mean '--json'?"),
    (["bench", "--scaling", "--kernels"], "cannot be combined"),
  ]

  @Test("wrong flags end with status 64 and a message, and change nothing", arguments: wrong)
  func wrongFlags(_ wrong: (arguments: [String], message: String)) throws {
    try withTemporaryFolder { folder in
      let result = try runProgram(wrong.arguments, in: folder)
      expect(result, 64, wrong.message, "Usage: vqvae")
      #expect(result.output.isEmpty)
      #expect(try files(below: folder).isEmpty)
    }
  }

  @Test("a misspelled --config is reported, not a missing one")
  func mistypedConfig() throws {
    try withTemporaryFolder { folder in
      let result = try runProgram(["train", "--confg", "c.yaml"], in: folder)
      #expect(result.status == 64)
      #expect(result.errors.contains("Did you mean '--config'?"))
    }
  }

  @Test(
    "--help lists every exit code with its meaning, and the commands",
    arguments: [
      ["--help"], ["-h"], ["help"], [],
    ])
  func help(_ arguments: [String]) throws {
    try withTemporaryFolder { folder in
      let result = try runProgram(arguments, in: folder)
      expect(result, 0)
      #expect(result.errors.isEmpty)
      for status in ExitStatus.allCases {
        #expect(result.output.contains("  \(status.rawValue)\t\(status.meaning)\n"), "\(status)")
      }
      for command in [
        "demo", "train", "eval", "reconstruct", "bench", "doctor",
      ] {
        #expect(result.output.contains("\n  \(command) "))
      }
    }
  }

  static let flags: [(command: String, flags: [String])] = [
    ("demo", ["<folder>", "--set <key=value>", "--threads <n>"]),
    ("doctor", ["<folder>", "--json"]),
    (
      "train",
      ["--config <file>", "--set <key=value>", "--run <folder>", "--resume", "--threads <n>"]
    ),
    (
      "eval",
      ["<run-or-checkpoint>", "--split <split>", "--data <folder>", "--json", "--threads <n>"]
    ),
    (
      "reconstruct",
      ["<run-or-checkpoint>", "--split <split>", "--count <n>", "--data <folder>", "--out <file>"]
    ),
    (
      "bench",
      [
        "--config <file>", "--set <key=value>", "--batch <n>", "--steps <n>", "--warmup <n>",
        "--kernels", "--quick", "--json", "--threads <n>",
      ]
    ),
  ]

  @Test("each command's help has its flags", arguments: flags)
  func commandHelp(_ row: (command: String, flags: [String])) throws {
    try withTemporaryFolder { folder in
      let result = try runProgram([row.command, "--help"], in: folder)
      expect(result, 0)
      for flag in row.flags { #expect(result.output.contains("  \(flag)"), "\(flag)") }
      #expect(
        result.output.split(separator: "\n").allSatisfy { $0.hasPrefix("USAGE") || $0.count <= 80 })
    }
  }

  @Test("--version names a fact a line, the version first")
  func version() throws {
    try withTemporaryFolder { folder in
      let result = try runProgram(["--version"], in: folder)
      expect(result, 0)
      #expect(result.errors.isEmpty)
      let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
      try #require(lines.count == 6 && lines[5].isEmpty, "\(result.output)")
      #expect(lines[0].wholeMatch(of: /vqvae \d+\.\d+\.\d+/) != nil)
      let commit =
        /commit (unknown|[0-9a-f]{40,64}( with uncommitted changes| or a later one)?)/
      #expect(lines[1].wholeMatch(of: commit) != nil, "\(lines[1])")
      #expect(lines[2].wholeMatch(of: /kernels \S.*/) != nil)
      #expect(lines[3].wholeMatch(of: /OpenBLAS \d+\.\d+.*\S/) != nil, "\(lines[3])")
      #expect(lines[4].wholeMatch(of: /Swift \d+\.\d+.*/) != nil)
    }
  }
}
