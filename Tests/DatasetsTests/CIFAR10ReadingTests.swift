import Datasets
import Files
import Tensors
import TestSupport
import Testing

@Suite("CIFAR10: hand-made records")
struct CIFAR10ReadingTests {
  @Test("Planes are converted to channels last")
  func channelsLast() throws {
    try withTemporaryFolder { folder in
      var bytes: [UInt8] = [9] + Array(repeating: 0, count: 3072)
      // Row 5, column 7 of red; row 0, column 31 of green; the last pixel of blue.
      bytes[1 + 5 * 32 + 7] = 11
      bytes[1 + 1024 + 31] = 22
      bytes[1 + 2048 + 1023] = 33
      try write(bytes, to: folder + "/x.bin")
      let source = try CIFAR10(folder: folder, files: ["x.bin"])
      #expect(source.count == 1)
      #expect(source.image == ImageShape(height: 32, width: 32, channels: 3))
      let pixels = try source.pixels(of: [0])
      #expect(pixels.count == 3072)
      let lit = pixels.indices.filter { pixels[$0] != 0 }
      #expect(lit == [31 * 3 + 1, (5 * 32 + 7) * 3, 1023 * 3 + 2])
      #expect(lit.map { pixels[$0] } == [22, 11, 33])
    }
  }

  @Test("Images can be read in any order from files with different numbers of records")
  func borders() throws {
    try withTemporaryFolder { folder in
      let names = ["a.bin", "b.bin", "c.bin"]
      for (name, numbers) in zip(names, [0..<1, 1..<4, 4..<6]) {
        try write(numbers.flatMap { record($0) }, to: folder + "/" + name)
      }
      let source = try CIFAR10(folder: folder, files: names)
      #expect(source.count == 6)
      for order in [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [4, 0, 3, 3, 1], [2], []] as [[Int32]] {
        let expected = order.flatMap { pixels(ofRecord: Int($0)) }
        #expect(try source.pixels(of: order) == expected, "in the order \(order)")
      }
    }
  }

  @Test("Files are read in the order of the names requested")
  func order() throws {
    try withTemporaryFolder { folder in
      try write(record(0), to: folder + "/a.bin")
      try write(record(1), to: folder + "/b.bin")
      let source = try CIFAR10(folder: folder, files: ["b.bin", "a.bin"])
      #expect(try source.pixels(of: [0, 1]) == pixels(ofRecord: 1) + pixels(ofRecord: 0))
    }
  }

  @Test("The folder may be the parent of the official archive's folder")
  func folderAbove() throws {
    try withTemporaryFolder { folder in
      let inner = folder + "/cifar-10-batches-bin"
      try createFolder(inner)
      try writeBatches([1, 2, 1, 1, 1, 1], in: inner)
      for place in [folder, inner, folder + "/"] {
        let source = try CIFAR10(folder: place, files: CIFAR10.trainingFiles)
        #expect(source.count == 6)
        #expect(try source.pixels(of: [2]) == pixels(ofRecord: 2))
      }
      let test = try CIFAR10(folder: folder, files: CIFAR10.testFiles)
      #expect(try test.pixels(of: [0]) == pixels(ofRecord: 6))
      // Files directly in the folder take precedence.
      try write(record(9), to: folder + "/test_batch.bin")
      let direct = try CIFAR10(folder: folder, files: CIFAR10.testFiles)
      #expect(try direct.pixels(of: [0]) == pixels(ofRecord: 9))
    }
  }

  @Test("The files have the official names")
  func names() {
    #expect(
      CIFAR10.trainingFiles + CIFAR10.testFiles == [
        "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
        "data_batch_5.bin", "test_batch.bin",
      ])
  }

  @Test("A scan sums the included images without labels, across chunks and files")
  func moments() throws {
    try withTemporaryFolder { folder in
      // More than the 256 records that a scan reads at once.
      try write((0..<300).flatMap { record($0, label: UInt8($0 % 10)) }, to: folder + "/a.bin")
      try write((300..<303).flatMap { record($0) }, to: folder + "/b.bin")
      let source = try CIFAR10(folder: folder, files: ["a.bin", "b.bin"])
      var asked: [Int] = []
      let summary = try source.scan {
        asked.append($0)
        return $0 % 7 == 1
      }
      #expect(asked == Array(0..<303))
      var expected = (count: 0, sum: UInt64(0), squares: UInt64(0))
      for image in stride(from: 1, to: 303, by: 7) {
        for byte in record(image).dropFirst() {
          expected.count += 1
          expected.sum += UInt64(byte)
          expected.squares += UInt64(byte) * UInt64(byte)
        }
      }
      #expect(summary.moments.count == expected.count)
      #expect(summary.moments.sum == expected.sum)
      #expect(summary.moments.squares == expected.squares)
      #expect(try source.scan().moments.count == 0)
    }
  }
}
