import Files
import Foundation
import TestSupport
import Testing

/// Invalid, missing and unexpected files and folders: exit codes 65, 66, 73 and 78.
@Suite("Bad input", .timeLimit(.minutes(5)))
struct BadInputTests {
  @Test("a missing configuration is an error, and so is a folder in its place")
  func configurationFile() throws {
    try withTemporaryFolder { folder in
      expect(
        try runProgram(["train", "--config", "none.yaml"], in: folder), 66,
        "vqvae: error: none.yaml: no such file", "--config takes a YAML file")
      expect(
        try runProgram(["train", "--config", "."], in: folder), 78, "this is a folder")
      #expect(try files(below: folder).isEmpty)
    }
  }

  @Test("all faults of a configuration and its overrides are shown, with status 78")
  func configurationFaults() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(folder + "/c.yaml", text: "sed: 1\ntraining:\n  steps: 0\n")
      let result = try runProgram(
        ["train", "--config", "c.yaml", "--set", "data.kind=x"], in: folder)
      expect(result, 78)
      #expect(
        result.errors == """
          c.yaml:1:1: error: unknown key sed; did you mean seed?
          c.yaml:3:10: error: training.steps: expected a whole number from 1 to 1000000000, found 0
          --set data.kind=x: error: data.kind: expected cifar10 or synthetic, found x
          3 errors in the configuration

          """)
      #expect(try !fileExists(folder + "/runs"))
    }
  }

  @Test("a file's text is shown without its control characters")
  func controlCharacters() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(folder + "/c.yaml", text: "\"a\\x1b[31m\\rb\": 1\n")
      let result = try runProgram(["train", "--config", "c.yaml"], in: folder)
      #expect(result.status == 78)
      #expect(!result.errors.contains("\u{1B}") && !result.errors.contains("\r"))
    }
  }

  @Test("if images are missing or a batch file is empty, nothing is created")
  func missingImages() throws {
    try withTemporaryFolder { folder in
      expect(
        try train("run", imageSets("nowhere"), in: folder), 66,
        "vqvae: error: nowhere: no such folder",
        "scripts/download_cifar10.sh")
      try writeImages(folder + "/images", records: 2)
      try AtomicFile.write(folder + "/images/data_batch_3.bin", text: "")
      expect(
        try train("run", imageSets("images"), in: folder), 65,
        "images/data_batch_3.bin: the file has 0 bytes; expected a multiple of 3073")
      #expect(try !fileExists(folder + "/run"))
    }
  }

  @Test("a batch file with an incomplete record is an error", arguments: [1, 3072, 3075, 6145])
  func oddSize(bytes: Int) throws {
    try withTemporaryFolder { folder in
      try writeImages(folder + "/images", records: 2)
      try write([UInt8](repeating: 1, count: bytes), to: folder + "/images/data_batch_2.bin")
      expect(
        try train("run", imageSets("images"), in: folder), 65,
        "images/data_batch_2.bin: the file has \(bytes) bytes; expected a multiple of 3073")
      #expect(try !fileExists(folder + "/run"))
    }
  }

  @Test("a label over 9 is reported with its record")
  func badLabel() throws {
    try withTemporaryFolder { folder in
      try writeImages(folder + "/images", records: 3)
      var bytes = try contents(of: folder + "/images/data_batch_4.bin")
      bytes[2 * 3073] = 10
      try write(bytes, to: folder + "/images/data_batch_4.bin")
      expect(
        try train("run", imageSets("images"), in: folder), 65,
        "images/data_batch_4.bin: record 2 has the label 10; expected 0 to 9")
    }
  }

  @Test(
    "a missing run is an error",
    arguments: [
      ["train", "--run", "none", "--resume"],
      ["train", "--config", smokeConfiguration, "--run", "none", "--resume"],
      ["eval", "none"], ["reconstruct", "none", "--out", "x.png"], ["eval", "."],
    ])
  func missingRun(arguments: [String]) throws {
    try withTemporaryFolder { folder in
      let result = try runProgram(arguments, in: folder)
      expect(result, 66, "vqvae: error: ", "\n  ")
      #expect(try files(below: folder).isEmpty)
    }
  }

  @Test("a truncated, empty or invalid checkpoint is an error")
  func badCheckpoint() throws {
    try withRun { folder in
      let whole = try contents(of: folder + "/run/checkpoints/last.safetensors")
      for count in [0, 3, 8, 100, 5000, whole.count / 2, whole.count - 1] {
        try write(Array(whole.prefix(count)), to: folder + "/bad.safetensors")
        expect(try runProgram(["eval", "bad.safetensors"], in: folder), 65, "bad.safetensors: ")
      }
      try write(whole + [0], to: folder + "/bad.safetensors")
      expect(try runProgram(["eval", "bad.safetensors"], in: folder), 65, "bad.safetensors: ")
      expect(try runProgram(["eval", "run/config.yaml"], in: folder), 65, "run/config.yaml: ")
      // Resuming reads it too, and without another checkpoint leaves the run unchanged.
      try FileManager.default.removeItem(atPath: folder + "/run/checkpoints/best.safetensors")
      try write(Array(whole.prefix(5000)), to: folder + "/run/checkpoints/last.safetensors")
      let before = try files(below: folder + "/run")
      expect(
        try runProgram(["train", "--run", "run", "--resume"], in: folder), 65, "last.safetensors")
      #expect(try files(below: folder + "/run") == before)
    }
  }

  @Test("a file or folder that cannot be created is an error")
  func cannotCreate() throws {
    try withRun { folder in
      try AtomicFile.write(folder + "/file", text: "x")
      try createFolder(folder + "/run.png")
      expect(try train("file", in: folder), 73, "file")
      expect(try train("file/below", in: folder), 73, "file/below: the folder cannot be created")
      expect(
        try train("run", in: folder), 73, "vqvae: error: run: the folder holds a run already",
        "Resume it with vqvae train --run run --resume, or name another folder with --run")
      expect(
        try runProgram(["reconstruct", "run", "--out", "run.png"], in: folder), 73,
        "this is a folder")
      expect(
        try runProgram(["reconstruct", "run", "--out", "none/x.png"], in: folder), 73,
        "There is no folder none")
      #expect(try contents(of: folder + "/file") == Array("x".utf8))
    }
  }

  @Test("the message for a file in place of the run folder says that it is a file")
  func fileForFolder() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(folder + "/file", text: "x")
      let result = try train("file", in: folder)
      #expect(result.errors.contains("file: this is a file; expected a folder"))
    }
  }
}
