import Kernels
import Tensors
import TestSupport
import Testing

/// The elements are small integers, so every sum is exact and no tolerance is needed.
@Suite("im2col and col2im") struct Im2ColTests {
  @Test("every patch is a row, with zeros outside the image", arguments: ConvolutionCase.all)
  func patches(testCase: ConvolutionCase) {
    let images = integers(testCase.images.count, test: 1)
    let columns = guarded(columnCount(testCase)) {
      kernels.im2col(images, count: testCase.images[0], geometry: testCase.geometry, into: $0)
    }
    var expected = [Float](repeating: 0, count: columns.count)
    forEachTap(testCase) { column, pixel in expected[column] = images[pixel] }
    #expect(columns == expected)
  }

  @Test("every row is added to the old contents of its patch", arguments: ConvolutionCase.all)
  func patchesBack(testCase: ConvolutionCase) {
    let columns = integers(columnCount(testCase), test: 2)
    let before = integers(testCase.images.count, test: 3)
    let images = guarded(testCase.images.count, initial: before) {
      kernels.col2im(
        columns, count: testCase.images[0], geometry: testCase.geometry, into: $0,
        stride: testCase.geometry.patchCount)
    }
    var expected = before
    forEachTap(testCase) { column, pixel in expected[pixel] += columns[column] }
    #expect(images == expected)
  }

  @Test(
    "col2im is the adjoint of im2col: ⟨kernels.im2col(x), c⟩ = ⟨x, kernels.col2im(c)⟩",
    arguments: ConvolutionCase.all)
  func adjoint(testCase: ConvolutionCase) {
    let count = testCase.images[0]
    let x = integers(testCase.images.count, test: 4)
    let c = integers(columnCount(testCase), test: 5)
    let columns = guarded(c.count) {
      kernels.im2col(x, count: count, geometry: testCase.geometry, into: $0)
    }
    let images = guarded(x.count, initial: Array(repeating: 0, count: x.count)) {
      kernels.col2im(
        c, count: count, geometry: testCase.geometry, into: $0, stride: testCase.geometry.patchCount
      )
    }
    #expect(innerProduct(columns, c) == innerProduct(x, images))
  }

  private func columnCount(_ testCase: ConvolutionCase) -> Int {
    testCase.images[0] * testCase.geometry.positions * testCase.geometry.patchCount
  }

  private func integers(_ count: Int, test: Int) -> [Float] {
    var generator = SeededGenerator(test: test)
    return (0..<count).map { _ in Float(generator.index(below: 9) - 4) }
  }

  private func innerProduct(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// Calls `body` for every tap inside an image, with its offset in the columns and that of the float under
  /// it.
  private func forEachTap(_ testCase: ConvolutionCase, _ body: (Int, Int) -> Void) {
    let g = testCase.geometry
    var column = 0
    for n in 0..<testCase.images[0] {
      for y in 0..<g.outHeight {
        for x in 0..<g.outWidth {
          for i in 0..<g.kernelHeight {
            for j in 0..<g.kernelWidth {
              let v = y * g.stride + i - g.padding.top
              let u = x * g.stride + j - g.padding.left
              for c in 0..<g.channels {
                if v >= 0, v < g.height, u >= 0, u < g.width {
                  body(column, ((n * g.height + v) * g.width + u) * g.channels + c)
                }
                column += 1
              }
            }
          }
        }
      }
    }
  }
}
