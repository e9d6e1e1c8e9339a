import BLAS
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

@Suite("gemm") struct GEMMTests {
  init() { BLAS.useOneThread() }

  @Test(
    "gemm computes α·a·b + β·result, with either factor transposed", arguments: ProductSizes.all)
  func allTranspositions(sizes: ProductSizes) {
    let (m, k, n) = (sizes.m, sizes.k, sizes.n)
    var generator = SeededGenerator(test: 1)
    for isTransposed in [(false, false), (false, true), (true, false), (true, true)] {
      for (alpha, beta) in [(1, 0), (1, 1), (-2, 1), (0.5, -3), (0, 2)] as [(Float, Float)] {
        let a = generator.tensor(isTransposed.0 ? [k, m] : [m, k])
        let b = generator.tensor(isTransposed.1 ? [n, k] : [k, n])
        let before = generator.tensor([m, n])
        let result = product(a, b, isTransposed, alpha: alpha, beta: beta, onto: before)

        let first = DoubleTensor(isTransposed.0 ? a.permuted([1, 0]) : a)
        let second = DoubleTensor(isTransposed.1 ? b.permuted([1, 0]) : b)
        var expected = DoubleTensor(before)
        for r in 0..<m {
          for c in 0..<n {
            var sum = 0.0
            for i in 0..<k { sum += first.elements[r * k + i] * second.elements[i * n + c] }
            expected.elements[r * n + c] *= Double(beta)
            expected.elements[r * n + c] += Double(alpha) * sum
          }
        }
        // The error of a sum of K terms and the result itself both grow like √K, so the relative error stays
        // within a few times 2⁻²⁴; 1e-5 is far below the effect of a wrong factor, sign or index.
        expectClose(
          result, expected, tolerance: 1e-5, "transposed \(isTransposed), α \(alpha), β \(beta)")
      }
    }
  }

  @Test("β = 0 ignores the old contents of the result, including NaN", arguments: ProductSizes.all)
  func zeroBetaOverwrites(sizes: ProductSizes) {
    var generator = SeededGenerator(test: 2)
    let a = generator.tensor([sizes.m, sizes.k])
    let b = generator.tensor([sizes.k, sizes.n])
    let shape: Shape = [sizes.m, sizes.n]
    let overZero = product(a, b, alpha: 1, beta: 0, onto: Tensor(zeros: shape))
    let overNaN = product(a, b, alpha: 1, beta: 0, onto: Tensor(shape, repeating: .nan))
    #expect(overNaN.isFinite)
    #expect(bits(overNaN.elements) == bits(overZero.elements))
  }

  @Test("an empty sum is 0, and an empty result stays empty")
  func emptyExtents() {
    let a = Tensor(zeros: [3, 0])
    let b = Tensor(zeros: [0, 5])
    let onto = Tensor([3, 5], repeating: .nan)
    #expect(product(a, b, alpha: 1, beta: 0, onto: onto).elements == Array(repeating: 0, count: 15))
    // β = 1 keeps the old contents.
    let ones = Tensor([3, 5], repeating: 1)
    #expect(product(a, b, alpha: 1, beta: 1, onto: ones).elements == ones.elements)
    let none = guarded(0) { result in
      b.withUnsafePointer {
        gemm(
          MatrixView($0, rows: 0, columns: 4), MatrixView($0, rows: 4, columns: 5), into: result)
      }
    }
    #expect(none.isEmpty)
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

  private func product(
    _ a: Tensor, _ b: Tensor, _ isTransposed: (Bool, Bool) = (false, false), alpha: Float,
    beta: Float, onto before: Tensor
  ) -> Tensor {
    let elements = guarded(before.count, initial: before.elements) { result in
      a.withUnsafePointer { left in
        b.withUnsafePointer { right in
          let first = MatrixView(left, rows: a.shape[0], columns: a.shape[1])
          let second = MatrixView(right, rows: b.shape[0], columns: b.shape[1])
          gemm(
            isTransposed.0 ? first.transposed : first,
            isTransposed.1 ? second.transposed : second, into: result, alpha: alpha, beta: beta)
        }
      }
    }
    return Tensor(before.shape, elements)
  }
}
