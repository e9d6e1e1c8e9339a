import Kernels
import Tensors
import TestSupport
import Testing

@Suite("Columns of matrices") struct ColumnCopyTests {
  @Test("concatenating tensors and taking columns keeps every byte", arguments: oddLengths)
  func concatenation(width: Int) {
    var generator = SeededGenerator(test: 1)
    let parts = [width, 3, width + 1].map { generator.tensor([2, 5, $0]) }
    let whole = Tensor(columnsOf: parts)
    #expect(whole.shape == [2, 5, 2 * width + 4])
    let expected = (0..<10).flatMap { row in
      parts.flatMap { $0.elements[(row * $0.shape.width)..<((row + 1) * $0.shape.width)] }
    }
    #expect(bits(whole.elements) == bits(expected))
    var first = 0
    for part in parts {
      let columns = whole.columns(first..<(first + part.shape.width))
      #expect(columns.shape == part.shape)
      #expect(bits(columns.elements) == bits(part.elements))
      first += part.shape.width
    }
  }

  @Test("columns beside the block are unchanged, and nothing beyond the matrix is written")
  func block() {
    let source = (0..<12).map(Float.init)
    let result = guarded(15, initial: [Float](repeating: -1, count: 15)) {
      kernels.copyColumns(source, sourceWidth: 4, rows: 3, columns: 2, into: $0 + 3, targetWidth: 5)
    }
    #expect(result == [-1, -1, -1, 0, 1, -1, -1, -1, 4, 5, -1, -1, -1, 8, 9])
  }

  @Test("shapes that do not fit and columns that do not exist stop the program")
  func shapes() async {
    await #expect(processExitsWith: .failure) { _ = Tensor(columnsOf: []) }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(columnsOf: [Tensor(zeros: [2, 3]), Tensor(zeros: [3, 3])])
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(columnsOf: [Tensor(zeros: [2, 2, 3]), Tensor(zeros: [4, 3])])
    }
    await #expect(processExitsWith: .failure) { _ = Tensor(zeros: [2, 3]).columns(1..<4) }
    await #expect(processExitsWith: .success) {
      _ = Tensor(columnsOf: [Tensor(zeros: [2, 3]), Tensor(zeros: [2, 1])]).columns(3..<4)
    }
  }
}
