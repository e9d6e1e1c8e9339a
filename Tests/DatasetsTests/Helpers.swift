import Datasets
import Files
import Tensors
import TestSupport
import Testing

/// In bytes: a label, and three planes of 32×32 pixels.
let recordSize = 3073

/// A record in which every pixel byte depends on the image, the plane and the place.
func record(_ image: Int, label: UInt8 = 3) -> [UInt8] {
  var bytes = [label]
  for plane in 0..<3 {
    for place in 0..<1024 { bytes.append(planeByte(image, plane, place)) }
  }
  return bytes
}

/// The byte of `record` at a place in a plane.
func planeByte(_ image: Int, _ plane: Int, _ place: Int) -> UInt8 {
  UInt8(truncatingIfNeeded: (image * 7919 + plane * 104_729 + place * 31) &* 2_654_435_761 >> 7)
}

/// The image of `record` with channels last.
func pixels(ofRecord image: Int) -> [UInt8] {
  (0..<1024).flatMap { place in (0..<3).map { planeByte(image, $0, place) } }
}

/// Writes the five training files and the test file with `counts` records each. Images are numbered
/// consecutively across the files.
func writeBatches(_ counts: [Int], in folder: String) throws {
  var first = 0
  for (name, count) in zip(CIFAR10.trainingFiles + CIFAR10.testFiles, counts) {
    try write((first..<(first + count)).flatMap { record($0) }, to: folder + "/" + name)
    first += count
  }
}

/// Images that contain their own index in the first two bytes, for tests of selection and order.
struct NumberedImages: ImageSource {
  let count: Int
  let image = ImageShape(height: 1, width: 2, channels: 3)

  func pixels(of indices: some Collection<Int32>) throws -> [UInt8] {
    indices.flatMap { Self.image(Int($0)) }
  }

  static func image(_ number: Int) -> [UInt8] {
    let low = UInt8(truncatingIfNeeded: number)
    let high = UInt8(truncatingIfNeeded: number >> 8)
    return [low, high, 0, 255, 128, low ^ 0xFF]
  }

  /// The image indices of a split.
  static func numbers(_ split: ImageSplit) throws -> [Int] {
    let bytes = try split.pixels(at: 0..<split.count)
    return stride(from: 0, to: bytes.count, by: 6).map { Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8 }
  }
}
