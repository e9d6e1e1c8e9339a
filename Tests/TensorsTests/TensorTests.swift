import Tensors
import TestSupport
import Testing

extension Tensor {
  /// The address of the elements.
  fileprivate var address: UInt { withUnsafePointer { UInt(bitPattern: $0) } }
}

@Suite("Tensors are values") struct TensorTests {
  @Test("a copy does not see changes of the original, nor the reverse")
  func copiesAreIndependent() {
    let original = Tensor([3], [1, 2, 3])
    var changed = original
    changed.withUnsafeMutablePointer { $0[1] = 20 }
    #expect(original.elements == [1, 2, 3])
    #expect(changed.elements == [1, 20, 3])

    var first = changed
    first += first
    #expect(changed.elements == [1, 20, 3] && first.elements == [2, 40, 6])
  }

  @Test("copies share memory until one is changed; a tensor without copies is changed in place")
  func copyOnWrite() {
    var tensor = Tensor([100], repeating: 1)
    let before = tensor.address
    tensor.withUnsafeMutablePointer { $0[0] = 2 }
    tensor += Tensor([100], repeating: 1)
    #expect(tensor.address == before)

    let copy = tensor
    #expect(copy.address == before)
    tensor.withUnsafeMutablePointer { $0[0] = 7 }
    #expect(tensor.address != before)
    #expect(copy.address == before)
    // Only the first change copies.
    let after = tensor.address
    tensor.withUnsafeMutablePointer { $0[0] = 8 }
    #expect(tensor.address == after)
    #expect(copy.elements[0] == 3)
  }

  @Test("reshaping does not copy, and the result is a value of its own")
  func reshape() {
    let flat = Tensor([6], [1, 2, 3, 4, 5, 6])
    var matrix = flat.reshaped([2, 3])
    #expect(matrix.shape == [2, 3] && matrix.address == flat.address)
    matrix.withUnsafeMutablePointer { $0[0] = 9 }
    #expect(flat.elements[0] == 1 && matrix.elements[0] == 9)
  }

  @Test("memory goes back to the pool and is used again")
  func poolReuse() {
    // A size that no other test uses: the pool is shared, and tests run in parallel.
    let shape: Shape = [7, 11, 13, 1009]
    func make() -> UInt { Tensor(zeros: shape).address }
    let first = make()
    for _ in 0..<10 { #expect(make() == first) }
    // Memory in use is not given to another tensor.
    let held = Tensor(zeros: shape)
    #expect(held.address == first)
    #expect(make() != first)
  }

  @Test("elements are aligned to 64 bytes", arguments: [0, 1, 3, 16, 17, 1000])
  func alignment(count: Int) {
    #expect(Tensor(zeros: [count]).address % 64 == 0)
  }

  @Test("a new tensor does not show old contents of its memory")
  func freshTensors() {
    let shape: Shape = [3, 5, 9973]
    do {
      let used = Tensor(shape, repeating: .nan)
      #expect(!used.isFinite)
    }
    #expect(Tensor(zeros: shape).elements.allSatisfy { $0 == 0 })
    #expect(Tensor(shape, repeating: 2.5).elements.allSatisfy { $0 == 2.5 })
  }

  @Test("an error of the initializer is rethrown")
  func throwingInitializer() {
    struct Refusal: Error {}
    #expect(throws: Refusal.self) { _ = try Tensor([3]) { _ in throw Refusal() } }
  }

  @Test("scalars and empty tensors have their elements")
  func smallShapes() {
    #expect(Tensor(scalar: 4).scalar == 4 && Tensor(scalar: 4).shape == [])
    #expect(Tensor([1, 1], [3]).scalar == 3)
    #expect(Tensor([2, 0], []).elements.isEmpty)
  }
}

@Suite("Matrices") struct MatrixTests {
  @Test("matrices that are not square have the right product")
  func product() {
    let product = Tensor([2, 3], [1, 2, 3, 4, 5, 6]).matrixProduct(Tensor([3, 1], [1, 10, 100]))
    #expect(product.shape == [2, 1] && product.elements == [321, 654])
  }

  @Test("copying elements keeps the memory, and does not change other tensors")
  func copyElements() {
    var target = Tensor(zeros: [2, 2])
    let address = target.address
    target.copyElements(of: Tensor([2, 2], [1, 2, 3, 4]))
    #expect(target.elements == [1, 2, 3, 4] && target.address == address)
    let kept = target
    target.copyElements(of: Tensor(zeros: [2, 2]))
    #expect(kept.elements == [1, 2, 3, 4] && target.elements == [0, 0, 0, 0])
  }
}

@Suite("Shapes") struct ShapeTests {
  @Test("a shape has the right count, rows, width and rank")
  func extents() {
    let shape: Shape = [2, 3, 4]
    #expect((shape.count, shape.rows, shape.width, shape.rank) == (24, 6, 4, 3))
    #expect(shape[1] == 3 && shape.description == "[2, 3, 4]")
    #expect(Shape([]).count == 1 && Shape([5]).rows == 1 && Shape([4, 0]).count == 0)
    #expect(Shape([2, 3]) == [2, 3] && Shape([2, 3]) != [3, 2])
  }
}
