import Images
import Testing

@Suite("RGBImage")
struct RGBImageTests {
  @Test("Drawing an image changes exactly the pixels under it")
  func draw() {
    let picture = noise(height: 2, width: 3)
    for (top, left) in [(0, 0), (3, 4), (1, 2), (0, 4), (3, 0)] {
      var canvas = RGBImage(height: 5, width: 7, gray: 200)
      canvas.draw(picture, top: top, left: left)
      for y in 0..<5 {
        for x in 0..<7 {
          let isInside = (top..<(top + 2)).contains(y) && (left..<(left + 3)).contains(x)
          let expected = isInside ? picture.pixel(y - top, x - left) : [200, 200, 200]
          #expect(canvas.pixel(y, x) == expected, "(\(y), \(x)) of an image at (\(top), \(left))")
        }
      }
    }
  }

  @Test("One channel is shown in grey, and three are red, green and blue")
  func channels() {
    let grey = RGBImage(height: 2, width: 1, channels: 1, pixels: [7, 250])
    #expect(grey.bytes == [7, 7, 7, 250, 250, 250])
    let color = RGBImage(height: 1, width: 2, channels: 3, pixels: [1, 2, 3, 4, 5, 6])
    #expect(color.bytes == [1, 2, 3, 4, 5, 6])
  }

  @Test("An image can cover the whole canvas")
  func whole() {
    let picture = noise(height: 4, width: 6)
    var canvas = RGBImage(height: 4, width: 6, gray: 0)
    canvas.draw(picture, top: 0, left: 0)
    #expect(canvas == picture)
  }

  @Test("Drawing an image that does not fit traps", arguments: 0..<4)
  func doesNotFit(direction: Int) async {
    await #expect(processExitsWith: .failure) { [direction = direction as Int] in
      var canvas = RGBImage(height: 5, width: 5, gray: 0)
      let (top, left) = [(-1, 0), (0, -1), (4, 0), (0, 4)][direction]
      canvas.draw(RGBImage(height: 2, width: 2, gray: 1), top: top, left: left)
    }
  }

  @Test("A number of bytes that does not match the size traps")
  func wrongCount() async {
    await #expect(processExitsWith: .failure) {
      _ = RGBImage(height: 2, width: 2, bytes: [1, 2, 3])
    }
    await #expect(processExitsWith: .failure) { _ = RGBImage(height: 0, width: 2, bytes: []) }
  }
}
