import Datasets
import Tensors
import TestSupport
import Testing

@Suite("Dataset: which images are held out")
struct DatasetTests {
  private func dataset(_ count: Int, _ fraction: Double) throws -> (
    TrainingImages, included: [Bool]
  ) {
    var included: [Bool] = []
    let dataset = try TrainingImages(NumberedImages(count: count), validation: fraction) {
      isIncluded in
      included = (0..<count).map(isIncluded)
      return ImageSummary()
    }
    return (dataset, included)
  }

  @Test(
    "The fraction determines the sizes of the splits, and every image is in exactly one",
    arguments: [1, 2, 3, 10, 17, 256, 1000, 5000], [0, 0.001, 0.1, 0.3, 0.5, 0.9, 0.999])
  func sizes(count: Int, fraction: Double) throws {
    let (dataset, included) = try dataset(count, fraction)
    #expect(dataset.validation.count == Int((Double(count) * fraction).rounded()))
    let train = try NumberedImages.numbers(dataset.train)
    let validation = try NumberedImages.numbers(dataset.validation)
    #expect((train + validation).sorted() == Array(0..<count))
    #expect(train == train.sorted() && validation == validation.sorted())
    // The variance is that of the training images only.
    #expect(included.indices.filter { included[$0] } == train)
  }

  @Test(
    "Held-out images are spread evenly", arguments: [10, 1000, 4999], [0.01, 0.1, 0.37, 0.5, 0.9])
  func spread(count: Int, fraction: Double) throws {
    let validation = try NumberedImages.numbers(try dataset(count, fraction).0.validation)
    // Every prefix holds its share of them, within one image.
    for stretch in 1...count {
      let held = Double(validation.count { $0 < stretch })
      let share = Double(validation.count) * Double(stretch) / Double(count)
      #expect(abs(held - share) <= 1, "the first \(stretch)")
      if abs(held - share) > 1 { break }
    }
    // Any two gaps differ by at most one.
    let gaps = zip(validation.dropFirst(), validation).map { $0 - $1 }
    if let largest = gaps.max(), let smallest = gaps.min() { #expect(largest - smallest <= 1) }
  }

  @Test("A fraction of 0.1 holds out every tenth image")
  func tenth() throws {
    let validation = try dataset(50, 0.1).0.validation
    #expect(try NumberedImages.numbers(validation) == [9, 19, 29, 39, 49])
  }

  @Test("The variance is that of the training images only")
  func variance() throws {
    try withTemporaryFolder { folder in
      // Images of value 0 and 51, and a white one that is held out.
      let shades: [UInt8] = [0, 51, 0, 51, 0, 51, 0, 51, 0, 255]
      var records: [UInt8] = []
      for shade in shades { records += [0] + [UInt8](repeating: shade, count: 3072) }
      try write(records, to: folder + "/a.bin")
      let source = try CIFAR10(folder: folder, files: ["a.bin"])
      let dataset = try TrainingImages(source, validation: 0.1) { try source.scan(including: $0) }
      #expect(dataset.train.count == 9 && dataset.validation.count == 1)
      // Five images of 0 and four of 0.2: 0.04 · (5/9) · (4/9).
      #expect(abs(dataset.variance - 0.04 * 20 / 81) < 1e-15)
      let whole = try TrainingImages(source, validation: 0) { try source.scan(including: $0) }
      #expect(whole.variance > 0.08)
    }
  }

  @Test("An error of the scan is rethrown")
  func problem() throws {
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try TrainingImages(NumberedImages(count: 3), validation: 0) { _ in throw Stop() }
    }
  }
}
