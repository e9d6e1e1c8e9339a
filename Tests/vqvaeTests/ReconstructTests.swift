import Files
import TestSupport
import Testing

@Suite("reconstruct", .timeLimit(.minutes(5)))
struct ReconstructTests {
  /// Width and height from the file's header.
  private func size(_ png: [UInt8]) throws -> (width: Int, height: Int) {
    try #require(png.count > 24)
    #expect(Array(png[0..<8]) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    func number(_ at: Int) -> Int { png[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) } }
    return (number(16), number(20))
  }

  @Test(
    "the picture has the requested number of images, or all of them if there are fewer",
    arguments: [
      (1, 1), (7, 7), (64, 64), (600, 512),
    ])
  func count(asked: Int, shown: Int) throws {
    try withRun { folder in
      let before = try files(below: folder + "/run")
      let result = try runProgram(
        ["reconstruct", "run", "--count", String(asked), "--out", "x.png"], in: folder)
      expect(
        result, 0,
        "run/checkpoints/best.safetensors, step 2: \(shown == 1 ? "1 image" : "\(shown) images") of the test split, each above"
      )
      let (width, height) = try size(try contents(of: folder + "/x.png"))
      #expect(result.output == "x.png\t\(width)x\(height)\n")
      // Each image and its reconstruction have 32×32 pixels, magnified twice.
      #expect(width * height >= shown * 2 * 64 * 64)
      #expect(try files(below: folder + "/run") == before)
    }
  }

  @Test("the picture does not depend on the number of threads, and --scale magnifies it")
  func repeatable() throws {
    try withRun { folder in
      var pictures: [[UInt8]] = []
      for flags in [
        ["--threads", "1"], ["--threads", "2"], ["--threads", "3"], ["--scale", "1"],
      ] {
        expect(
          try runProgram(
            ["reconstruct", "run", "--count", "20", "--out", "x.png"] + flags, in: folder), 0)
        pictures.append(try contents(of: folder + "/x.png"))
      }
      #expect(pictures[0] == pictures[1] && pictures[0] == pictures[2])
      let (large, small) = (try size(pictures[0]), try size(pictures[3]))
      #expect(small.width < large.width && large.width <= 2 * small.width)
      #expect(small.height < large.height && large.height <= 2 * small.height)
    }
  }

  @Test("the extension of the picture's name may have capitals")
  func ending() throws {
    try withRun { folder in
      let result = try runProgram(
        ["reconstruct", "run", "--count", "1", "--out", "X.Png"], in: folder)
      expect(result, 0, "step 2: 1 image of the test split")
      _ = try size(try contents(of: folder + "/X.Png"))
    }
  }

  @Test("a checkpoint file and every split work", arguments: ["train", "validation", "test"])
  func splits(split: String) throws {
    try withRun { folder in
      let result = try runProgram(
        [
          "reconstruct", "run/checkpoints/last.safetensors", "--split", split, "--count", "4",
          "--out", "x.png",
        ], in: folder)
      expect(result, 0, "last.safetensors, step 2: 4 images of the \(split) split")
    }
  }

  @Test("images come from --data if it is given")
  func data() throws {
    try withTemporaryFolder { folder in
      try writeImages(folder + "/images", records: 30)
      expect(try train("run", imageSets("images"), in: folder), 0)
      try write(
        try contents(of: folder + "/run/checkpoints/last.safetensors"), to: folder + "/copy")
      expect(
        try runProgram(["reconstruct", "copy", "--out", "x.png"], in: folder), 66, "--data FOLDER")
      #expect(try !fileExists(folder + "/x.png"))
      expect(
        try runProgram(["reconstruct", "copy", "--data", "images", "--out", "x.png"], in: folder),
        0,
        "30 images of the test split")
    }
  }

  @Test("an existing picture is replaced, but not after an error")
  func replaced() throws {
    try withRun { folder in
      try AtomicFile.write(folder + "/x.png", text: "old")
      expect(
        try runProgram(["reconstruct", "run", "--out", "x.png", "--split", "dev"], in: folder), 64)
      #expect(try contents(of: folder + "/x.png") == Array("old".utf8))
      expect(try runProgram(["reconstruct", "run", "--out", "x.png"], in: folder), 0)
      _ = try size(try contents(of: folder + "/x.png"))
    }
  }
}
