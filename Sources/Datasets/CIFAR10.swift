import Diagnostics
import Files
import Options
import Tensors

/// Files in the format of CIFAR-10's binary version (Krizhevsky 2009).
///
/// A file is a sequence of records of 3,073 bytes: a label 0…9, then 1,024 red, 1,024 green and 1,024 blue
/// bytes of a 32×32 image, row by row. Official files have 10,000 records; files with any number of records
/// are read. Images are read when they are needed, so that the operating system's cache is the only copy.
package struct CIFAR10: ImageSource {
  package static let trainingFiles = (1...5).map { "data_batch_\($0).bin" }
  package static let testFiles = ["test_batch.bin"]

  private static let image = ImageShape(height: 32, width: 32, channels: 3)
  static let planeSize = image.height * image.width
  static let recordSize = 1 + image.count
  private static let labels: UInt8 = 10

  package let count: Int
  package var image: ImageShape { Self.image }
  let files: [(file: InputFile, first: Int, count: Int)]

  /// Opens batch files, without checking their labels yet.
  ///
  /// - Parameter folder: the folder of the files, or its parent, which the official archive creates.
  package init(folder: String, files names: [String]) throws {
    let advice =
      "data.root (or --data) has to name the folder with \(names[0]). "
      + "scripts/download_cifar10.sh downloads the official files."
    guard try fileExists(folder) else {
      throw Problem(.missingInput, folder, found: "no such folder", advice: advice)
    }
    guard try isFolder(folder) else {
      let format = try OtherFormat(ofFile: folder)
      throw Problem(
        .missingInput, folder, found: format?.found ?? "this is a file", expected: "a folder",
        advice: format?.advice ?? advice)
    }
    let inner = "\(folder)/cifar-10-batches-bin"
    let hasFirst = try fileExists("\(folder)/\(names[0])")
    let place = try !hasFirst && isFolder(inner) ? inner : folder
    if try !fileExists("\(place)/\(names[0])"), let format = try OtherFormat(inFolder: place) {
      throw Problem(
        .badData, place, found: format.found, expected: "CIFAR-10's binary version",
        advice: format.advice)
    }

    var files: [(InputFile, Int, Int)] = []
    var total = 0
    for name in names {
      let file = try InputFile("\(place)/\(name)", advice: advice)
      guard file.size > 0, file.size % Self.recordSize == 0 else {
        let format = try OtherFormat(of: file)
        throw Problem(
          .badData, file.path, found: format?.found ?? "the file has \(file.size) bytes",
          expected: "a multiple of \(Self.recordSize) bytes, the size of a record",
          advice: format?.advice
            ?? "That is \(file.size / Self.recordSize) records and \(file.size % Self.recordSize) "
            + "bytes. An official batch has 10000 records, 30730000 bytes.")
      }
      let records = file.size / Self.recordSize
      guard records <= Int(Int32.max) - total else {
        throw Problem(
          .badData, file.path, found: "the files have over \(Int32.max) records up to this one",
          expected: "at most \(Int32.max)")
      }
      files.append((file, total, records))
      total += records
    }
    self.files = files
    count = total
  }

  package func pixels(of indices: some Collection<Int32>) throws -> [UInt8] {
    let imageSize = Self.image.count
    var result = [UInt8](repeating: 0, count: indices.count * imageSize)
    for (n, index) in indices.enumerated() {
      precondition(index >= 0 && index < count, "there is no image \(index)")
      guard let place = files.last(where: { $0.first <= Int(index) }) else { continue }
      let record = try place.file.bytes(
        at: (Int(index) - place.first) * Self.recordSize, count: Self.recordSize)
      try Self.check(record[0], ofRecord: Int(index) - place.first, in: place.file)
      Self.interleave(record, into: &result, at: n * imageSize)
    }
    return result
  }

  /// Reads all files once and checks every label.
  ///
  /// - Returns: the moments over the pixels of the included images, and the fingerprint of all records.
  @discardableResult
  package func scan(including isIncluded: (Int) -> Bool = { _ in false }) throws -> ImageSummary {
    let recordsAtOnce = 256
    var summary = ImageSummary()
    for (file, firstImage, count) in files {
      for start in stride(from: 0, to: count, by: recordsAtOnce) {
        let records = min(recordsAtOnce, count - start)
        let bytes = try file.bytes(
          at: start * Self.recordSize, count: records * Self.recordSize)
        for record in 0..<records {
          let first = record * Self.recordSize
          try Self.check(bytes[first], ofRecord: start + record, in: file)
          let piece = bytes[first..<(first + Self.recordSize)]
          piece.withUnsafeBytes { summary.fingerprint.add($0) }
          if isIncluded(firstImage + start + record) { summary.moments.add(piece.dropFirst()) }
        }
      }
    }
    return summary
  }

  private static func check(_ label: UInt8, ofRecord record: Int, in file: InputFile) throws {
    guard label < labels else {
      throw Problem(
        .badData, file.path, found: "record \(record) has the label \(label)",
        expected: "0 to 9",
        advice: "This is not a file of CIFAR-10's binary version, or it is damaged.")
    }
  }

  /// Interleaves the planes of red, green and blue into pixels.
  private static func interleave(_ record: [UInt8], into result: inout [UInt8], at offset: Int) {
    for channel in 0..<image.channels {
      let plane = 1 + channel * planeSize
      for i in 0..<planeSize { result[offset + image.channels * i + channel] = record[plane + i] }
    }
  }
}

// MARK: The kind of data

extension CIFAR10: DataSource {
  package struct Options: DataOptions {
    /// The folder of the batch files.
    package var root: String?
    package var validation = 0.1

    package init() {}
  }

  package static let name = "cifar10"
  package static let fields: [Field<Options>] = [
    .path("root", \.root, "the folder of the CIFAR-10 batch files"),
    Options.validationField,
  ]

  package static func missing(in options: Options) -> FieldFault? {
    options.root == nil
      ? FieldFault(
        ["root"], "expected the folder of the batch files, which data.kind cifar10 needs")
      : nil
  }

  package static func image(_: Options) -> ImageShape { image }

  package static func count(_: Options) -> Int? { nil }

  package static func memory(_: Options) -> Int { 0 }

  package init(_ options: Options, _ part: DataPart, seed _: UInt64, isReadOnce _: Bool) throws {
    guard let root = options.root else {
      throw Problem(
        .missingInput, "data", found: "it is not known where the images are",
        advice: "Name the folder of the CIFAR-10 batch files with --data FOLDER.")
    }
    switch part {
    case .training: try self.init(folder: root, files: Self.trainingFiles)
    case .test:
      try self.init(folder: root, files: Self.testFiles)
      try scan()
    }
  }

  package func summary(including isIncluded: (Int) -> Bool) throws -> ImageSummary {
    try scan(including: isIncluded)
  }
}
