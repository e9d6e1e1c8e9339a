import Testing
import Training

/// The size of synthetic images; that of CIFAR-10 images is fixed.
@Suite("The field data.side")
struct ImageSizeFieldTests {
  @Test("data.side is an error at its place with CIFAR-10")
  func foreign() {
    let message =
      "data.side: belongs to synthetic, and data.kind is cifar10; leave it out"
    expectFault("data:\n  side: 64\n  kind: cifar10\n  root: x\n", "2:9", message)
    #expect(
      faults("data: {kind: cifar10, root: x}\n", ["data.side=32"])
        == ["--set data.side=32: \(message)"])
    #expect(faults("data: {kind: synthetic, side: 64}\n").isEmpty)
  }

  @Test("a saved configuration has data.side only for synthetic images")
  func saved() throws {
    #expect(try read("data: {side: 64}\n").yaml().contains("\n  side: 64\n"))
    #expect(!(try read("data: {kind: cifar10, root: x}\n").yaml().contains("side:")))
  }

  @Test("more than 2^30 pixels are an error")
  func tooMany() {
    let message =
      "data.side: expected at most 1073741824 pixels in data.images times data.side squared, which are "
      + "kept in memory, found 1073856512"
    expectFault("data:\n  images: 262172\n  side: 64\n", "3:9", message)
    #expect(faults("data: {images: 262144, side: 64}\n").isEmpty)
  }

  @Test("a different size is a different experiment")
  func differences() throws {
    let differences = try read("data: {side: 64}\n").differences(from: read(""), in: .experiment)
    #expect(differences.count == 1)
    #expect(differences.first.map { $0 == ("data.side", "64", "32") } == true)
  }
}
