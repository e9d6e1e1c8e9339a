import Diagnostics
import Files
import Foundation
import Images
import TestSupport
import Testing

@Suite("PNG files")
struct PNGTests {
  @Test(
    "A file has the chunks of an 8-bit RGB image of its size",
    arguments: [(1, 1), (1, 300), (300, 1), (32, 32), (70, 201)])
  func structure(height: Int, width: Int) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.png"
      try noise(height: height, width: width).writePNG(path)
      let chunks = try PNGFile(path).chunks
      #expect(chunks.first?.type == "IHDR" && chunks.last?.type == "IEND")
      #expect(chunks.contains { $0.type == "IDAT" })
      #expect(chunks.count { $0.type == "IHDR" } == 1 && chunks.last?.data == [])
      let header = try #require(chunks.first?.data)
      #expect(bigEndian(header[0..<4]) == width)
      #expect(bigEndian(header[4..<8]) == height)
      // 8 bits, RGB, deflate, the five standard filters, not interlaced.
      #expect(header[8...] == [8, 2, 0, 0, 0])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.png"])
    }
  }

  @Test("The same image gives the same bytes, without a date")
  func deterministic() throws {
    try withTemporaryFolder { folder in
      let image = noise(height: 20, width: 30)
      try image.writePNG(folder + "/a.png")
      try image.writePNG(folder + "/b.png")
      #expect(try contents(of: folder + "/a.png") == contents(of: folder + "/b.png"))
      #expect(try PNGFile(folder + "/a.png").chunks.allSatisfy { $0.type != "tIME" })
    }
  }

  @Test("A file replaces an existing one, even a larger one")
  func replaces() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.png"
      try noise(height: 50, width: 50).writePNG(path)
      try noise(height: 2, width: 3).writePNG(path)
      let header = try #require(try PNGFile(path).chunks.first?.data)
      #expect(bigEndian(header[0..<4]) == 3)
    }
  }

  @Test("A folder as the target and a missing folder are errors that name the path")
  func badTargets() throws {
    try withTemporaryFolder { folder in
      for path in [folder, folder + "/no/a.png"] {
        let problem = #expect(throws: Problem.self) {
          try noise(height: 2, width: 2).writePNG(path)
        }
        #expect(problem?.status == .cannotCreate)
        #expect(problem?.subject == path)
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(left.isEmpty)
    }
  }

  @Test("An image that libpng rejects is an error with libpng's message")
  func tooWide() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.png"
      let image = RGBImage(height: 1, width: 1_000_001, gray: 0)
      let problem = #expect(throws: Problem.self) { try image.writePNG(path) }
      #expect(problem?.status == .cannotCreate)
      #expect(problem?.subject == path)
      #expect(problem?.found.contains("IHDR") == true)
      let isThere = try fileExists(path)
      #expect(!isThere)
    }
  }

  @Test("On a full disk the old file is unchanged")
  func fullDisk() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        let path = folder + "/a.png"
        try noise(height: 4, width: 4).writePNG(path)
        let old = try contents(of: path)
        // Imitates a full disk: a write beyond the limit fails with EFBIG instead of ENOSPC.
        signal(SIGXFSZ, SIG_IGN)
        var limits = rlimit(rlim_cur: 1000, rlim_max: 1000)
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits) == 0)
        let problem = #expect(throws: Problem.self) {
          try noise(height: 100, width: 100).writePNG(path)
        }
        #expect(problem?.status == .inputOutput)
        #expect(try contents(of: path) == old)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.png"])
      }
    }
  }
}
