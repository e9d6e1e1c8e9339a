import BLAS
import KernelTypes
import Kernels
import Tensors
import TestSupport
import Testing

/// The sizes of a product `[M, K] · [K, N]`.
struct ProductSizes: Sendable, CustomTestStringConvertible {
  let m: Int
  let k: Int
  let n: Int

  init(_ m: Int, _ k: Int, _ n: Int) { (self.m, self.k, self.n) = (m, k, n) }

  var testDescription: String { "\(m)×\(k)×\(n)" }

  static let all = [
    ProductSizes(1, 1, 1), ProductSizes(1, 7, 1), ProductSizes(3, 5, 7), ProductSizes(16, 16, 16),
    ProductSizes(17, 33, 15), ProductSizes(1, 64, 512), ProductSizes(64, 1, 31),
    ProductSizes(65, 127, 33), ProductSizes(64, 288, 128), ProductSizes(130, 512, 3),
  ]
}

/// The products of the kernels in use: on register tiles, or OpenBLAS's.
@Suite("Matrix product") struct ProductTests {
  init() { BLAS.useOneThread() }

  @Test(
    "a product computes α·a·b, or adds it, with either factor transposed",
    arguments: ProductSizes.all)
  func allTranspositions(sizes: ProductSizes) {
    let (m, k, n) = (sizes.m, sizes.k, sizes.n)
    var generator = SeededGenerator(test: 1)
    for isTransposed in [(false, false), (false, true), (true, false), (true, true)] {
      for (factor, adds) in [(1, false), (1, true), (-2, true), (0.5, false), (0, true)]
        as [(Float, Bool)]
      {
        let a = generator.tensor(isTransposed.0 ? [k, m] : [m, k])
        let b = generator.tensor(isTransposed.1 ? [n, k] : [k, n])
        let before = generator.tensor([m, n])
        let result = product(a, b, isTransposed, factor: factor, adds: adds, onto: before)

        let first = DoubleTensor(isTransposed.0 ? a.permuted([1, 0]) : a)
        let second = DoubleTensor(isTransposed.1 ? b.permuted([1, 0]) : b)
        var expected = DoubleTensor(before)
        for r in 0..<m {
          for c in 0..<n {
            var sum = 0.0
            for i in 0..<k { sum += first.elements[r * k + i] * second.elements[i * n + c] }
            if !adds { expected.elements[r * n + c] = 0 }
            expected.elements[r * n + c] += Double(factor) * sum
          }
        }
        // The error of a sum of K terms and the result itself both grow like √K, so the relative error stays
        // within a few times 2⁻²⁴; 1e-5 is far below the effect of a wrong factor, sign or index.
        expectClose(
          result, expected, tolerance: 1e-5, "transposed \(isTransposed), α \(factor), adds \(adds)"
        )
      }
    }
  }

  @Test(
    "without adding, the old contents of the result are ignored, including NaN",
    arguments: ProductSizes.all)
  func zeroBetaOverwrites(sizes: ProductSizes) {
    var generator = SeededGenerator(test: 2)
    let a = generator.tensor([sizes.m, sizes.k])
    let b = generator.tensor([sizes.k, sizes.n])
    let shape: Shape = [sizes.m, sizes.n]
    let overZero = product(a, b, factor: 1, adds: false, onto: Tensor(zeros: shape))
    let overNaN = product(a, b, factor: 1, adds: false, onto: Tensor(shape, repeating: .nan))
    #expect(overNaN.isFinite)
    #expect(bits(overNaN.elements) == bits(overZero.elements))
  }

  @Test("an empty sum is 0, and an empty result stays empty")
  func emptyExtents() {
    let a = Tensor(zeros: [3, 0])
    let b = Tensor(zeros: [0, 5])
    let onto = Tensor([3, 5], repeating: .nan)
    #expect(
      product(a, b, factor: 1, adds: false, onto: onto).elements == Array(repeating: 0, count: 15))
    // Adding nothing keeps the old contents.
    let ones = Tensor([3, 5], repeating: 1)
    #expect(product(a, b, factor: 1, adds: true, onto: ones).elements == ones.elements)
    let none = product(
      Tensor(zeros: [0, 4]), Tensor(zeros: [4, 5]), factor: 1, adds: false,
      onto: Tensor(zeros: [0, 5]))
    #expect(none.count == 0)
  }

  @Test("transposing a view swaps rows and columns, and transposing twice restores them")
  func transposedViews() {
    Tensor(zeros: [2, 3]).withUnsafePointer {
      let view = MatrixView($0, rows: 2, columns: 3)
      #expect((view.rows, view.columns) == (2, 3))
      #expect((view.transposed.rows, view.transposed.columns) == (3, 2))
      #expect((view.transposed.transposed.rows, view.transposed.transposed.columns) == (2, 3))
    }
  }

  /// The images of a batch may only share a product if this holds; OpenBLAS does not promise it.
  @Test(
    "a row does not depend on the other rows", .enabled(if: KernelSet.current != .openblas),
    arguments: ProductSizes.all)
  func independentRows(sizes: ProductSizes) {
    var generator = SeededGenerator(test: 3)
    let a = generator.tensor([sizes.m, sizes.k])
    let b = generator.tensor([sizes.k, sizes.n])
    let all = a.matrixProduct(b).elements
    for row in 0..<sizes.m {
      let own = Tensor([1, sizes.k], Array(a.elements[(row * sizes.k)..<((row + 1) * sizes.k)]))
      #expect(
        bits(own.matrixProduct(b).elements)
          == bits(Array(all[(row * sizes.n)..<((row + 1) * sizes.n)])))
    }
  }

  private func product(
    _ a: Tensor, _ b: Tensor, _ isTransposed: (Bool, Bool) = (false, false), factor: Float,
    adds: Bool, onto before: Tensor
  ) -> Tensor {
    let elements = guarded(before.count, initial: before.elements) { result in
      a.withUnsafePointer { left in
        b.withUnsafePointer { right in
          var first = MatrixView(left, rows: a.shape[0], columns: a.shape[1])
          var second = MatrixView(right, rows: b.shape[0], columns: b.shape[1])
          if isTransposed.0 { first = first.transposed }
          if isTransposed.1 { second = second.transposed }
          _ = guarded(kernels.productWorkspaceCount(inner: first.columns)) {
            kernels.product(
              first, second, factor: factor, into: result, stride: second.columns, adds: adds,
              workspace: $0)
          }
        }
      }
    }
    return Tensor(before.shape, elements)
  }
}
