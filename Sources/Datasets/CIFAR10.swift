import Files
import Tensors

/// Files in the format of CIFAR-10's binary version (Krizhevsky 2009).
///
/// A file is a row of records of 3,073 bytes: a label 0…9, then 1,024 red, 1,024 green and 1,024 blue
/// bytes of a 32×32 image, row by row. Official files have 10,000 records; any whole number will do.
/// Images are read where they are needed, so that the operating system's cache is the only copy.
package struct CIFAR10: ImageSource {
  package static let trainingFiles = (1...5).map { "data_batch_\($0).bin" }
  package static let testFiles = ["test_batch.bin"]

  static let side = 32
  static let planeSize = side * side
  static let recordSize = 1 + 3 * planeSize
  private static let labels: UInt8 = 10

  package let count: Int
  package var height: Int { Self.side }
  package var width: Int { Self.side }
  private let files: [(file: InputFile, first: Int, count: Int)]

  /// Opens batch files; their labels are not looked at yet.
  ///
  /// - Parameter folder: the one with the files, or the one above it that an archive leaves.
  package init(folder: String, files names: [String]) throws {
    let advice =
      "data.root (or --data) has to name the folder with \(names[0]). "
      + "scripts/download_cifar10.sh downloads the official files."
    guard fileExists(folder) else {
      throw Problem(.missingInput, folder, found: "no such folder", advice: advice)
    }
    guard isFolder(folder) else {
      throw Problem(
        .missingInput, folder, found: "this is a file", expected: "a folder", advice: advice)
    }
    let inner = "\(folder)/cifar-10-batches-bin"
    let place = !fileExists("\(folder)/\(names[0])") && isFolder(inner) ? inner : folder

    var files: [(InputFile, Int, Int)] = []
    var total = 0
    for name in names {
      let file = try InputFile("\(place)/\(name)", advice: advice)
      guard file.size > 0, file.size % Self.recordSize == 0 else {
        throw Problem(
          .badData, file.path, found: "the file has \(file.size) bytes",
          expected: "a multiple of \(Self.recordSize), the size of a record",
          advice: "An official batch has 30730000 bytes. The download may be incomplete.")
      }
      let records = file.size / Self.recordSize
      files.append((file, total, records))
      total += records
    }
    self.files = files
    count = total
  }

  package func pixels(of indices: some Collection<Int32>) throws -> [UInt8] {
    let imageSize = 3 * Self.planeSize
    var result = [UInt8](repeating: 0, count: indices.count * imageSize)
    for (n, index) in indices.enumerated() {
      precondition(index >= 0 && index < count, "there is no image \(index)")
      guard let place = files.last(where: { $0.first <= Int(index) }) else { continue }
      let record = try place.file.bytes(
        at: (Int(index) - place.first) * Self.recordSize, count: Self.recordSize)
      Self.interleave(record, into: &result, at: n * imageSize)
    }
    return result
  }

  /// Reads all files once: checks every label, and adds up the pixels of the included images.
  package func scan(including isIncluded: (Int) -> Bool = { _ in false }) throws -> PixelMoments {
    let recordsAtOnce = 256
    var moments = PixelMoments()
    for (file, first, count) in files {
      for start in stride(from: 0, to: count, by: recordsAtOnce) {
        let records = min(recordsAtOnce, count - start)
        let bytes = try file.bytes(
          at: start * Self.recordSize, count: records * Self.recordSize)
        for record in 0..<records {
          let label = bytes[record * Self.recordSize]
          guard label < Self.labels else {
            throw Problem(
              .badData, file.path, found: "record \(start + record) has the label \(label)",
              expected: "0 to 9",
              advice: "This is not a file of CIFAR-10's binary version, or it is damaged.")
          }
          guard isIncluded(first + start + record) else { continue }
          let pixels = record * Self.recordSize + 1
          moments.add(bytes[pixels..<(pixels + 3 * Self.planeSize)])
        }
      }
    }
    return moments
  }

  /// Planes of red, green and blue become pixels of three bytes.
  private static func interleave(_ record: [UInt8], into result: inout [UInt8], at offset: Int) {
    for channel in 0..<3 {
      let plane = 1 + channel * planeSize
      for i in 0..<planeSize { result[offset + 3 * i + channel] = record[plane + i] }
    }
  }
}
