import TestSupport
import Testing

/// CIFAR-10 itself, if its folder is next to the source tree.
@Suite("Real images", .enabled(if: realImages != nil), .timeLimit(.minutes(5)))
struct RealImagesTests {
  @Test("two steps on real images and an evaluation of the whole test file succeed")
  func trainAndEvaluate() throws {
    try withTemporaryFolder { folder in
      let images = try #require(realImages)
      expect(
        try train("run", imageSets(images), in: folder), 0,
        "cifar10: 4500 training and 500 validation images")
      let result = try runProgram(["eval", "run", "--split", "test", "--json"], in: folder)
      expect(result, 0)
      let report = try object(result.output)
      #expect(report["images"] as? Int == 1000)
      // After two steps little is learned: the error is near the variance of the images.
      let nmse = try #require(report["nmse"] as? Double)
      #expect((0.3...3).contains(nmse))
    }
  }
}
