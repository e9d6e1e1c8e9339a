import Files
import Foundation
import TestSupport
import Testing

@Suite("eval", .timeLimit(.minutes(5)))
struct EvalTests {
  private static let keys = [
    "mse", "nmse", "psnr", "perplexity", "codesUsed", "codebookSize", "images", "split",
  ]

  @Test(
    "--json prints only one object, with the documented keys",
    arguments: [
      ("train", 115), ("validation", 13), ("test", 512),
    ])
  func json(split: String, images: Int) throws {
    try withRun { folder in
      let result = try runProgram(["eval", "run", "--split", split, "--json"], in: folder)
      expect(result, 0)
      #expect(result.errors.isEmpty)
      let report = try object(result.output)
      for key in Self.keys { #expect(report[key] != nil, "\(key)") }
      #expect(report["split"] as? String == split)
      #expect(report["images"] as? Int == images)
      #expect(report["codebookSize"] as? Int == 32)
      #expect(report["checkpoint"] as? String == "run/checkpoints/best.safetensors")
      let mse = try #require(report["mse"] as? Double)
      let variance = try #require(report["variance"] as? Double)
      #expect(try abs(#require(report["nmse"] as? Double) - mse / variance) < 1e-12)
      let clamped = try #require(report["mseClamped"] as? Double)
      #expect(try abs(#require(report["psnr"] as? Double) + 10 * log10(clamped)) < 1e-9)
      #expect(clamped <= mse)
      let used = try #require(report["codesUsed"] as? Int)
      let perplexity = try #require(report["perplexity"] as? Double)
      #expect((1...32).contains(used))
      #expect(perplexity >= 1 && perplexity <= Double(used) + 1e-9)
    }
  }

  @Test("no number in the JSON is -0")
  func negativeZero() throws {
    // With a single codeword, all vectors have the same code, and the entropy is 0.
    try withRun(["quantizer.codebook_size=1"]) { folder in
      let result = try runProgram(["eval", "run", "--json"], in: folder)
      expect(result, 0)
      #expect(!result.output.contains(" -0,"), "\(result.output)")
    }
  }

  @Test("the run is unchanged, and the output does not depend on the number of threads")
  func changesNothing() throws {
    try withRun(["quantizer.kind=ema"]) { folder in
      let before = try files(below: folder)
      let expected = try runProgram(["eval", "run", "--json"], in: folder)
      expect(expected, 0)
      for threads in ["1", "2", "3"] {
        for flags in [["--json"], []] {
          let result = try runProgram(["eval", "run", "--threads", threads] + flags, in: folder)
          expect(result, 0)
          if !flags.isEmpty { #expect(result.output == expected.output) }
        }
      }
      #expect(try files(below: folder) == before)
    }
  }

  @Test("the output names the checkpoint: a run's best, its last if there is none, or a file")
  func whichCheckpoint() throws {
    try withRun { folder in
      let (best, last) = ("run/checkpoints/best.safetensors", "run/checkpoints/last.safetensors")
      for (argument, path) in [
        ("run", best), ("run/", best), (last, last), ("./" + last, "./" + last),
      ] {
        let result = try runProgram(["eval", argument], in: folder)
        expect(result, 0)
        #expect(result.errors == "\(path), step 2\n")
        #expect(result.output.hasPrefix("split           validation, 13 images\n"))
        for row in ["mse", "nmse", "psnr", "psnr per image", "perplexity", "codes used"] {
          #expect(result.output.contains("\n\(row)  "), "\(row)")
        }
      }
      try FileManager.default.removeItem(atPath: "\(folder)/\(best)")
      #expect(try runProgram(["eval", "run"], in: folder).errors == "\(last), step 2\n")
    }
  }

  @Test("the message for an empty split says how to choose another")
  func noValidation() throws {
    try withRun(["data.validation=0"]) { folder in
      expect(
        try runProgram(["eval", "run"], in: folder), 78, "no image is held out", "--split test")
      expect(try runProgram(["eval", "run", "--split", "test"], in: folder), 0)
    }
  }

  @Test("a run knows its images; a checkpoint alone needs --data, which also overrides a run's")
  func data() throws {
    try withTemporaryFolder { folder in
      try writeImages(folder + "/images")
      expect(try train("run", imageSets("images"), in: folder), 0)
      let last = "run/checkpoints/last.safetensors"
      let known = try runProgram(["eval", last, "--json"], in: folder)
      expect(known, 0)
      #expect(try object(known.output)["images"] as? Int == 12)

      // A copy elsewhere has no configuration next to it.
      try write(try contents(of: "\(folder)/\(last)"), to: folder + "/copy.safetensors")
      expect(
        try runProgram(["eval", "copy.safetensors"], in: folder), 66,
        "it is not known where the images are", "--data FOLDER")
      let given = try runProgram(
        ["eval", "copy.safetensors", "--data", "images", "--json"], in: folder)
      expect(given, 0)
      let (mine, theirs) = (try object(given.output), try object(known.output))
      for key in Self.keys { #expect("\(mine[key]!)" == "\(theirs[key]!)", "\(key)") }

      // The images are moved.
      try FileManager.default.moveItem(atPath: folder + "/images", toPath: folder + "/moved")
      expect(try runProgram(["eval", "run"], in: folder), 66, "images: no such folder")
      let moved = try runProgram(["eval", last, "--data", "moved", "--json"], in: folder)
      expect(moved, 0)
      #expect(moved.output == known.output)
    }
  }
}
