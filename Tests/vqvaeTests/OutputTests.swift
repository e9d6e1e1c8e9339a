import Files
import Foundation
import TestSupport
import Testing

/// Results that cannot be written, closed descriptors, and control characters in names.
@Suite("Output", .timeLimit(.minutes(5)))
struct OutputTests {
  /// Every command and option that prints a result; `run` is a finished run.
  static let commands: [[String]] = [
    ["eval", "run"], ["eval", "run", "--json"], ["reconstruct", "run", "--out", "x.png"],
    ["bench", "--config", smokeConfiguration, "--steps", "1", "--quick"],
    ["bench", "--config", smokeConfiguration, "--steps", "1", "--quick", "--json"],
    ["train", "--run", "run", "--resume"],
    ["train", "--run", "run", "--resume", "--set", "training.steps=3"],
    ["doctor"], ["doctor", "--json"],
    ["demo", "demo", "--set", "training.steps=1", "--set", "data.images=64"],
    [], ["--help"], ["help", "train"], ["eval", "--help"], ["--version"],
    ["--generate-completion-script", "bash"], ["--experimental-dump-help"],
  ]

  @Test("a result that cannot be written is an error", arguments: commands)
  func unwritable(_ command: [String]) throws {
    try withRun { folder in
      expect(
        try runProgram(command, in: folder, shell: "\"$@\" > /dev/full"), 74,
        "vqvae: error: standard output: writing failed: No space left on device\n")
    }
    try withRun { folder in
      let before = try files(below: folder + "/run")
      expect(
        try runProgram(command, in: folder, shell: "\"$@\" >&-"), 74,
        "vqvae: error: standard output: writing failed: Bad file descriptor\n")
      // The results must not end up in a run's file that was opened with the free number.
      for (name, bytes) in try files(below: folder + "/run") where !command.contains("--set") {
        #expect(bytes == before[name])
      }
    }
  }

  @Test("a reader that has gone is not an error", arguments: commands)
  func readerGone(_ command: [String]) throws {
    try withRun { folder in
      // The program starts after the reader has closed the pipe.
      let result = try runProgram(
        command, in: folder,
        shell: "{ while [ ! -e gone ]; do sleep 0.01; done; \"$@\"; echo $? > status; } | "
          + "{ exec <&-; : > gone; }; cat status")
      #expect(result.output == "0\n", "\(result.errors)")
      #expect(!result.errors.contains("error:"), "\(result.errors)")
    }
  }

  @Test("if a result cannot be written, the message says what has been saved")
  func savedCheckpoint() throws {
    try withRun { folder in
      let more = ["train", "--run", "run", "--resume", "--set", "training.steps=3"]
      expect(
        try runProgram(more, in: folder, shell: "\"$@\" > /dev/full"), 74,
        "The run is complete: run/checkpoints/last.safetensors has been saved at step 3.\n")
      expect(
        try runProgram(more, in: folder, shell: "\"$@\" > /dev/full"), 74,
        "The run is complete: its last checkpoint is run/checkpoints/last.safetensors.\n")
      expect(
        try runProgram(
          ["reconstruct", "run", "--out", "x.png"], in: folder, shell: "\"$@\" > /dev/full"), 74,
        "The picture has been written to x.png.\n")
    }
  }

  @Test("a partly written result is removed, and the file's earlier content stays")
  func halfAResult() throws {
    try withRun { folder in
      // Room for 24 more bytes; 1 KiB is the smallest limit.
      let start = String(repeating: "x", count: 1000)
      for redirection in [">> r.json", "1<> r.json"] {
        try AtomicFile.write(folder + "/r.json", text: redirection == ">> r.json" ? start : "")
        let fill = redirection == ">> r.json" ? "" : "head -c 1000 /dev/zero | tr '\\0' x; "
        expect(
          try runProgram(
            ["eval", "run", "--json"], in: folder,
            shell: "ulimit -f 1; { \(fill)\"$@\"; } \(redirection)"), 74,
          "standard output: writing failed: File too large")
        #expect(try readText(folder + "/r.json", limit: 4096) == start, "\(redirection)")
      }
    }
  }

  @Test(
    "a standard descriptor that is closed at the start is not reused for a file of the run",
    arguments: ["<&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
  func closedDescriptors(_ redirection: String) throws {
    try withTemporaryFolder { folder in
      expect(try train("other", in: folder), 0)
      let arguments =
        ["train", "--config", smokeConfiguration, "--run", "run", "--threads", "1"]
        + ["model.hidden=8", "data.images=128", "training.steps=2"].flatMap { ["--set", $0] }
      let result = try runProgram(arguments, in: folder, shell: "\"$@\" \(redirection)")
      #expect(result.status == (redirection.contains(">&- ") ? 74 : 0), "\(result.errors)")
      let (run, other) = (
        try files(below: folder + "/run"), try files(below: folder + "/other")
      )
      #expect(run.keys.sorted() == other.keys.sorted())
      for name in ["checkpoints/last.safetensors", "checkpoints/best.safetensors"] {
        #expect(run[name] == other[name])
      }
      let lines = try readText(folder + "/run/metrics.jsonl", limit: 1 << 20).split(separator: "\n")
      #expect(lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
    }
  }

  /// A name with an escape sequence, DEL, a C1 control character, a bidi override and a newline.
  private static let hostile = "a\u{1B}]0;x\u{7}\u{7F}\u{9B}2J\u{202E}\nb"
  private static let shown = "a\\u{1B}]0;x\\u{07}\\u{7F}\\u{9B}2J\\u{202E}\\nb"

  private func expectNoControls(_ result: ProgramResult) {
    for text in [result.output, result.errors] {
      #expect(
        !text.unicodeScalars.contains {
          "\u{1B}\u{7}\u{7F}\u{9B}\u{202E}".unicodeScalars.contains($0)
        })
    }
  }

  @Test("control characters in names are escaped in notes, errors and results")
  func hostileNames() throws {
    try withTemporaryFolder { folder in
      let name = Self.hostile
      let trained = try train(name, in: folder)
      expectNoControls(trained)
      #expect(trained.errors.contains("run folder \(Self.shown)\n"), "\(trained.errors)")
      #expect(trained.output.hasPrefix("run\t\(Self.shown)\nlast\t\(Self.shown)/checkpoints/"))
      for (arguments, status) in [
        (["train", "--run", name, "--resume"], Int32(0)), (["eval", name], 0),
        (["reconstruct", name, "--out", name + ".png"], 0), (["eval", "none" + name], 66),
        (["train", "--config", name], 78), (["train", "--config", "none" + name], 66),
        (["train", "--config", smokeConfiguration, "--set", name + "=1"], 78),
        (["eval", "x", "--" + name], 64), (["eval", "--split", name, "x"], 64),
        (["eval", "x", "--threads=" + name], 64), (["reconstruct", "x", "--out", name], 64),
        (["eval", "x", name], 64), ([name], 64),
      ] {
        let result = try runProgram(arguments, in: folder)
        #expect(result.status == status, "\(arguments): \(result.errors)")
        expectNoControls(result)
        #expect(
          (result.output + result.errors).contains(Self.shown), "\(arguments): \(result.errors)")
      }
      let json = try runProgram(["eval", name, "--json"], in: folder)
      expectNoControls(json)
      #expect(
        try object(json.output)["checkpoint"] as? String == name + "/checkpoints/best.safetensors")
    }
  }

  @Test("a shell correctly reads the command that resumes a run with a hostile name")
  func hostileCommand() throws {
    try withTemporaryFolder { folder in
      let stopped = try train(
        Self.hostile, ["training.steps=1000000", "training.log_every=1"], in: folder
      ) { process in
        try waitFor("step 2/", of: process, in: folder)
        process.terminate()
      }
      expectNoControls(stopped)
      let command = try #require(stopped.errors.split(separator: "\n").last)
      let result = try runProgram(
        [], in: folder, shell: "\(command) --set training.steps=1")
      expect(result, 0)
      #expect(result.output.hasPrefix("\(Self.shown) has already made"))
    }
  }

  @Test("very long words in messages are truncated, and the rest is still shown")
  func longMessages() throws {
    try withTemporaryFolder { folder in
      let long = String(repeating: "x", count: 100_000)
      for (arguments, status, rest) in [
        (["eval", long], Int32(66), "cannot be read: File name too long"),
        (["eval", "y", "--\(long)"], 64, "Usage: vqvae eval"),
        (["eval", "y", "--threads=\(long)"], 64, "Usage: vqvae eval"),
      ] {
        let result = try runProgram(arguments, in: folder)
        expect(result, status, rest, " more characters)")
        #expect(result.errors.utf8.count < 5000, "\(arguments[0])")
      }
      let keys = (0..<2000).map { "k\($0): 1\n" }.joined()
      try AtomicFile.write(folder + "/c.yaml", text: keys)
      let result = try runProgram(["train", "--config", "c.yaml"], in: folder)
      expect(
        result, 78, "c.yaml:1:1: error: ", "and 1980 more\n2000 errors in the configuration")
    }
  }

  @Test(
    "arguments that are not UTF-8 are refused, and nothing is created",
    arguments: [
      ["--config", "$'caf\\xe9.yaml'"],
      ["--config", "'\(smokeConfiguration)'", "--run", "$'r\\xff'"],
      ["--config", "'\(smokeConfiguration)'", "--set", "data.root=$'lat\\xe9'"],
    ])
  func notUTF8(_ arguments: [String]) throws {
    try withTemporaryFolder { folder in
      let words = arguments.joined(separator: " ")
      let result = try runProgram([], in: folder, shell: "\"$@\" train \(words)")
      expect(result, 64, "vqvae: error: ", "\\x", ": this argument is not UTF-8; expected paths")
      #expect(try files(below: folder).isEmpty)
    }
  }
}
