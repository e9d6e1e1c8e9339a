import Datasets
import Files
import TestSupport
import Testing

/// The first thousand records of each official batch, if they are available.
@Suite(
  "CIFAR10: real images",
  .enabled(if: realImages != nil, "there are no images in ../shared/cifar10"))
struct RealImagesTests {
  private let folder: String

  init() throws { folder = try #require(realImages) }

  @Test("There are 5,000 training and 1,000 test images, with valid labels")
  func counts() throws {
    let train = try CIFAR10(folder: folder, files: CIFAR10.trainingFiles)
    #expect(train.count == 5000)
    #expect(try train.scan { _ in true }.moments.count == 5000 * 3072)
    let test = try CIFAR10(folder: folder, files: CIFAR10.testFiles)
    #expect(test.count == 1000)
    #expect(try test.scan { _ in true }.moments.count == 1000 * 3072)
  }

  @Test("The variance is near that of the whole data set, and agrees with its definition")
  func variance() throws {
    let source = try CIFAR10(folder: folder, files: CIFAR10.trainingFiles)
    let variance = try source.scan { _ in true }.moments.variance
    // 0.0632704 is the variance of all 50,000 images.
    #expect(abs(variance - 0.0633) < 0.0008)

    // Two passes in double precision: the mean, then the squared distances from it.
    var bytes: [[UInt8]] = []
    for name in CIFAR10.trainingFiles { bytes.append(try contents(of: folder + "/" + name)) }
    func sum(_ value: (Double) -> Double) -> Double {
      bytes.reduce(0.0) { total, file in
        stride(from: 0, to: file.count, by: recordSize).reduce(total) { total, start in
          let pixels = file[(start + 1)..<(start + recordSize)]
          return total + pixels.reduce(0) { $0 + value(Double($1) / 255) }
        }
      }
    }
    let mean = sum { $0 } / (5000 * 3072)
    let expected = sum { ($0 - mean) * ($0 - mean) } / (5000 * 3072)
    #expect(abs(variance - expected) < 1e-12)
  }

  @Test("The first and last images of every file have the file's bytes")
  func pixels() throws {
    let source = try CIFAR10(folder: folder, files: CIFAR10.trainingFiles)
    for (i, name) in CIFAR10.trainingFiles.enumerated() {
      let bytes = try contents(of: folder + "/" + name)
      for image in [0, 999] {
        let planes = Array(bytes[(image * recordSize + 1)..<((image + 1) * recordSize)])
        let expected = (0..<1024).flatMap { [planes[$0], planes[1024 + $0], planes[2048 + $0]] }
        #expect(try source.pixels(of: [Int32(1000 * i + image)]) == expected)
      }
    }
  }
}
