import KernelTypes
import Kernels
import Tensors
import TestSupport
import Testing

@Suite("Dropout")
struct DropoutTests {
  private let mask = DropoutMask(probability: 0.3, seed: 5, stream: 9)

  private func dropped(_ mask: DropoutMask, _ rows: [Float], first: Int, width: Int) -> [Float] {
    let count = rows.count / width
    return guarded(rows.count) {
      kernels.drop(mask, rows, first: first, count: count, width: width, into: $0)
    }
  }

  /// A resumed run relies on which random word decides on which element.
  @Test(
    "an element is dropped if its Philox word is below the limit", arguments: [1, 63, 64, 65, 200])
  func words(width: Int) {
    let rows = [Float](repeating: 1, count: 3 * width)
    let result = dropped(mask, rows, first: 7, width: width)
    let blocks = (width + 63) / 64
    for row in 0..<3 {
      for i in 0..<width {
        let block = UInt32(((7 + row) * blocks + i / 64) * 16 + i % 16)
        let words = philox4x32(
          SIMD4(block, RandomPurpose.dropout.number, 9, 0), key: SIMD2(5, 0))
        let isDropped = words[i % 64 / 16] < UInt32(0.3 * 0x1p32)
        #expect(result[row * width + i] == (isDropped ? 0 : 1 / 0.7), "row \(row), element \(i)")
      }
    }
  }

  @Test("a row depends on its index, and on no other row")
  func rows() {
    var generator = SeededGenerator(test: 3)
    let width = 100
    let elements = generator.tensor([6, width]).elements
    let all = dropped(mask, elements, first: 0, width: width)
    for cut in 1..<6 {
      let parts =
        dropped(mask, Array(elements[..<(cut * width)]), first: 0, width: width)
        + dropped(mask, Array(elements[(cut * width)...]), first: cut, width: width)
      #expect(bits(parts) == bits(all))
    }
    let other = dropped(mask, elements, first: 1, width: width)
    #expect(zip(all, other).contains { ($0 == 0) != ($1 == 0) })
  }

  /// Of n elements, np are dropped, within five standard deviations √(np(1 − p)); the seed is fixed.
  @Test("the share of dropped elements is the probability", arguments: [0, 0.1, 0.5, 0.99])
  func frequency(probability: Double) {
    let count = 64 * 1000
    let mask = DropoutMask(probability: probability, seed: 1, stream: 2)
    let result = dropped(mask, [Float](repeating: 2, count: count), first: 0, width: count)
    let zeros = result.count { $0 == 0 }
    let (mean, variance) = (
      Double(count) * probability, Double(count) * probability * (1 - probability)
    )
    #expect(abs(Double(zeros) - mean) <= 5 * variance.squareRoot())
    let kept = Float(2 / (1 - probability))
    #expect(result.allSatisfy { $0 == 0 || abs($0 / kept - 1) < 1e-6 })
  }

  @Test("different seeds, streams and blocks drop different elements")
  func streams() {
    let rows = [Float](repeating: 1, count: 256)
    var seen: Set<[Float]> = []
    for seed in [1, 2, UInt64.max] {
      for stream in [0, 1, 1 << 40] as [UInt64] {
        seen.insert(
          dropped(
            DropoutMask(probability: 0.5, seed: seed, stream: stream), rows, first: 0, width: 256))
      }
    }
    #expect(seen.count == 9)
    let first = dropped(mask, rows, first: 0, width: 256)
    let blocks: [[Float]] = [0, 64, 128, 192].map { start in Array(first[start..<(start + 64)]) }
    #expect(Set(blocks).count == 4)
  }
}
