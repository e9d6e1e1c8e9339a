import Datasets
import Tensors
import TestSupport
import Testing

@Suite("ImageSplit")
struct ImageSplitTests {
  @Test("Images are addressed by their index in the split, in any order and repeatedly")
  func positions() throws {
    let split = ImageSplit(NumberedImages(count: 10), indices: [7, 2, 9])
    #expect(split.count == 3)
    #expect(split.image == ImageShape(height: 1, width: 2, channels: 3))
    let expected = [9, 7, 7, 2].flatMap(NumberedImages.image)
    #expect(try split.pixels(at: [2, 0, 0, 1]) == expected)
    #expect(try split.pixels(at: []) == [])
  }

  @Test("Without indices, a split has all images in order")
  func all() throws {
    let split = ImageSplit(NumberedImages(count: 300))
    #expect(try NumberedImages.numbers(split) == Array(0..<300))
  }

  @Test("Bytes become byte / 255 − 0.5, and padding images are zero", arguments: [2, 3, 16])
  func floats(size: Int) throws {
    let split = ImageSplit(NumberedImages(count: 256))
    let images = try split.images(at: [200, 3], paddedTo: size)
    #expect(images.shape == [size, 1, 2, 3])
    let bytes = [200, 3].flatMap(NumberedImages.image)
    for (element, byte) in zip(images.elements, bytes) {
      #expect(abs(Double(element) - (Double(byte) / 255 - 0.5)) < 1e-7)
    }
    // Zero is medium gray, so padding is an ordinary image to the model.
    #expect(images.elements.dropFirst(bytes.count).allSatisfy { $0 == 0 })
  }

  @Test("Bytes map to −0.5…0.5 in order, with both bounds reached, and back")
  func allBytes() throws {
    let split = ImageSplit(NumberedImages(count: 256))
    let images = try split.images(at: 0..<256, paddedTo: 256)
    let first = stride(from: 0, to: images.count, by: 6).map { images.elements[$0] }
    #expect(first.first == -0.5 && first.last == 0.5)
    #expect(zip(first, first.dropFirst()).allSatisfy { $0 < $1 })
    #expect(images.pixelBytes == (0..<256).flatMap(NumberedImages.image))
  }

  @Test("Padding alone is a tensor of zeros")
  func none() throws {
    let images = try ImageSplit(NumberedImages(count: 1)).images(at: [], paddedTo: 2)
    #expect(images.shape == [2, 1, 2, 3])
    #expect(images.elements.allSatisfy { $0 == 0 })
  }
}
