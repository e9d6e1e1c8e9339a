import Files
import Foundation
import TestSupport
import Testing

/// `vqvae demo`, with few steps.
@Suite("Demo", .timeLimit(.minutes(5)))
struct DemoTests {
  /// Runs the demo with a smaller model.
  private func demo(
    _ arguments: [String], steps: Int = 3, in folder: String,
    whileRunning: (Process) throws -> Void = { _ in }
  ) throws -> ProgramResult {
    let small = ["model.hidden=8", "data.images=128", "training.steps=\(steps)"]
    return try runProgram(
      ["demo"] + arguments + small.flatMap { ["--set", $0] }, in: folder,
      whileRunning: whileRunning)
  }

  @Test(
    "a model is trained, evaluated on the test split and drawn; every command that is printed works"
  )
  func whole() throws {
    try withTemporaryFolder { folder in
      let result = try demo([], in: folder)
      expect(result, 0, "step 3/3", "Look at runs/demo/demo.png: ", "doctor\n")
      #expect(result.output.hasPrefix("split           test, "), "\(result.output)")
      #expect(result.output.contains("\nnmse "))
      #expect(result.output.hasSuffix("\nruns/demo/demo.png\t662x678\n"), "\(result.output)")
      #expect(
        try contents(of: folder + "/runs/demo/demo.png").starts(with: [0x89, 0x50, 0x4E, 0x47]))
      for name in ["config.yaml", "metrics.jsonl", "checkpoints/last.safetensors"] {
        #expect(try fileExists("\(folder)/runs/demo/\(name)"), "\(name)")
      }

      let commands = self.commands(of: result)
      #expect(commands.map(\.first) == ["train", "eval", "doctor"], "\(result.errors)")
      for command in commands { expect(try runProgram(command, in: folder), 0) }
    }
  }

  @Test("the example configuration is printed only where it exists")
  func examples() throws {
    try withTemporaryFolder { folder in
      for name in ["configs/cifar10.yaml", "scripts/download_cifar10.sh"] {
        try createFolder(folder + "/" + name.prefix { $0 != "/" })
        try AtomicFile.write("\(folder)/\(name)", text: "")
      }
      let result = try demo(["x y"], in: folder)
      expect(
        result, 0, "\n  scripts/download_cifar10.sh\n",
        "\n  \(programPath) train --config configs/cifar10.yaml\n",
        "train --config 'x y/config.yaml' --set quantizer.kind=vq --run 'x y-vq'\n")
    }
  }

  @Test("the results are those of train, eval and reconstruct with configs/demo.yaml")
  func sameAsCommands() throws {
    try withTemporaryFolder { folder in
      let demo = try demo(["a"], in: folder)
      let sets = ["model.hidden=8", "data.images=128", "training.steps=3"]
      expect(
        try runProgram(
          ["train", "--config", packageFolder + "/configs/demo.yaml", "--run", "b"]
            + sets.flatMap { ["--set", $0] }, in: folder), 0)
      let eval = try runProgram(["eval", "b", "--split", "test"], in: folder)
      #expect(demo.output.hasPrefix(eval.output))
      expect(
        try runProgram(
          ["reconstruct", "b", "--count", "50", "--out", "b/demo.png"], in: folder), 0)
      for name in ["checkpoints/last.safetensors", "demo.png"] {
        #expect(
          try contents(of: "\(folder)/a/\(name)") == contents(of: "\(folder)/b/\(name)"), "\(name)")
      }
    }
  }

  @Test("Ctrl-C leaves a run; the commands that are printed resume it, measure it and draw it")
  func stopAndResume() throws {
    try withTemporaryFolder { folder in
      let steps = 400
      let stopped = try demo(["run"], steps: steps, in: folder) { process in
        try waitFor("step 100/", of: process, in: folder)
        kill(process.processIdentifier, SIGINT)
      }
      expect(stopped, 130, "; resume with:\n", "Then, to see what it has learned:\n")
      #expect(stopped.output.isEmpty)
      #expect(try !fileExists(folder + "/run/demo.png"))
      let commands = self.commands(of: stopped)
      #expect(commands.map(\.first) == ["train", "eval", "reconstruct"])
      for command in commands { expect(try runProgram(command, in: folder), 0) }
      #expect(try fileExists(folder + "/run/demo.png"))

      expect(try demo(["other"], steps: steps, in: folder), 0)
      for name in ["checkpoints/last.safetensors", "demo.png"] {
        #expect(
          try contents(of: "\(folder)/run/\(name)") == contents(of: "\(folder)/other/\(name)"),
          "\(name)")
      }
    }
  }

  @Test("a folder with files is refused with status 73, and nothing in it changes")
  func existingFolder() throws {
    try withTemporaryFolder { folder in
      expect(try demo([], in: folder), 0)
      let before = try files(below: folder)
      expect(
        try demo([], in: folder), 73,
        "vqvae: error: runs/demo: the folder holds a run already; expected a new folder\n",
        "vqvae eval runs/demo --split test measures that run", "vqvae demo FOLDER")
      expect(try demo(["runs"], in: folder), 73, "vqvae: error: runs: the folder has files already")
      expect(
        try demo(["runs/demo/config.yaml"], in: folder), 73, "this is a file; expected a folder")
      #expect(try files(below: folder) == before)

      try createFolder(folder + "/empty")
      expect(try demo(["empty"], in: folder), 0)
    }
  }

  @Test("a folder that cannot be created is an error with status 73")
  func unwritableFolder() throws {
    try withTemporaryFolder { folder in
      // Not even root can create a folder in /proc.
      expect(
        try demo(["/proc/demo"], in: folder), 73,
        "vqvae: error: /proc/demo: the folder cannot be created: ", "vqvae demo FOLDER")
      try AtomicFile.write(folder + "/file", text: "")
      expect(try demo(["file/demo"], in: folder), 73, "vqvae: error: file/demo: ")
      #expect(try files(below: folder).count == 1)
    }
  }

  @Test("an invalid field is reported as by train, with status 78")
  func invalidField() throws {
    try withTemporaryFolder { folder in
      expect(
        try runProgram(["demo", "--set", "training.stepz=3"], in: folder), 78,
        "--set training.stepz=3: error: unknown key training.stepz; did you mean training.steps?")
      #expect(try files(below: folder).isEmpty)
    }
  }

  /// The arguments of the commands that a result tells to type.
  private func commands(of result: ProgramResult) -> [[String]] {
    let start = "  \(programPath) "
    return result.errors.split(separator: "\n").filter { $0.hasPrefix(start) }.map {
      $0.dropFirst(start.count).split(separator: " ").map(String.init)
    }
  }
}
