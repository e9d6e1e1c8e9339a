import Tensors
import TestSupport
import Testing

@Suite("Tensors in one block")
struct TensorArenaTests {
  private let layout = TensorArena.Layout([[3], [2, 17], [], [5]])

  private func tensors(_ seed: Int) -> [Tensor] {
    var generator = SeededGenerator(test: seed)
    return layout.shapes.map { generator.tensor($0) }
  }

  @Test("tensors and blocks are added element by element")
  func sums() {
    let (a, b, c) = (tensors(1), tensors(2), tensors(3))
    let ab = TensorArena(layout, adding: b.map { $0 }, to: a.map { $0 })
    var abc = ab
    abc += c.map { $0 }
    var twice = ab
    twice += ab
    for i in layout.shapes.indices {
      #expect(ab[i].shape == layout.shapes[i])
      #expect(ab[i].elements == (a[i] + b[i]).elements)
      #expect(abc[i].elements == (a[i] + b[i] + c[i]).elements)
      #expect(twice[i].elements == (2 * (a[i] + b[i])).elements)
    }
  }

  @Test("a tensor that one side lacks is copied, and one that both lack is zero")
  func missing() {
    let (a, b) = (tensors(1), tensors(2))
    var sum = TensorArena(layout, adding: [nil, b[1], nil, nil], to: [a[0], a[1], nil, nil])
    sum += [nil, nil, b[2], nil]
    #expect(sum[0].elements == a[0].elements)
    #expect(sum[1].elements == (a[1] + b[1]).elements)
    #expect(sum[2].elements == b[2].elements)
    #expect(sum[3].elements == [Float](repeating: 0, count: 5))
  }

  @Test("a tensor of the block is a value: changing it does not change the block, nor the reverse")
  func values() {
    let (a, b) = (tensors(1), tensors(2))
    var sum = TensorArena(layout, adding: b.map { $0 }, to: a.map { $0 })
    let before = sum[1].elements
    var part = sum[1]
    part += part
    #expect(sum[1].elements == before)
    let kept = sum[1]
    sum += a.map { $0 }
    #expect(kept.elements == before)
    #expect(sum[1].elements != before)
  }
}
