import Glibc
import Kernels
import Tensors
import TestSupport
import Testing

/// Each element takes one or two roundings, which IEEE 754 defines, so the results are compared bit by bit
/// with the same expression on single floats.
@Suite("Element-wise kernels") struct ElementwiseTests {
  private func inputs(_ count: Int) -> (a: [Float], b: [Float]) {
    var generator = SeededGenerator(test: count)
    var a = generator.tensor([count]).elements
    let b = generator.tensor([count]).elements
    // Values that a shortcut would get wrong, if there is room for them.
    let values: [Float] = [.nan, -.infinity, -0.0, 2.5]
    for (place, value) in zip([3, 14, 16, 32], values) where place < count {
      a[place] = value
    }
    return (a, b)
  }

  @Test(
    "sum, difference and multiple are exact, also if the result is an operand",
    arguments: oddLengths)
  func arithmetic(count: Int) {
    let (a, b) = inputs(count)
    let sum = bits(zip(a, b).map { $0 + $1 })
    #expect(bits(guarded(count) { kernels.add(a, b, count: count, into: $0) }) == sum)
    #expect(bits(guarded(count, initial: a) { kernels.add($0, b, count: count, into: $0) }) == sum)
    #expect(bits(guarded(count, initial: b) { kernels.add(a, $0, count: count, into: $0) }) == sum)

    let difference = bits(zip(a, b).map { $0 - $1 })
    #expect(bits(guarded(count) { kernels.subtract(a, b, count: count, into: $0) }) == difference)
    #expect(
      bits(guarded(count, initial: a) { kernels.subtract($0, b, count: count, into: $0) })
        == difference)
    #expect(
      bits(guarded(count, initial: b) { kernels.subtract(a, $0, count: count, into: $0) })
        == difference)

    let multiple = bits(a.map { -1.7 * $0 })
    #expect(bits(guarded(count) { kernels.scale(a, by: -1.7, count: count, into: $0) }) == multiple)
    #expect(
      bits(guarded(count, initial: a) { kernels.scale($0, by: -1.7, count: count, into: $0) })
        == multiple)

    let gradient = bits(zip(a, b).map { 0.3 * ($0 - $1) })
    #expect(
      bits(guarded(count) { kernels.scaledDifference(a, b, factor: 0.3, count: count, into: $0) })
        == gradient)
  }

  @Test("ReLU keeps positive elements and NaN", arguments: oddLengths)
  func reluElements(count: Int) {
    let a = inputs(count).a
    let expected = a.map { $0.isNaN ? Float.nan : max($0, 0) }
    for result in [
      guarded(count) { kernels.relu(a, count: count, into: $0) },
      guarded(count, initial: a) { kernels.relu($0, count: count, into: $0) },
    ] {
      // As numbers: a negative zero may stay one.
      #expect(zip(result, expected).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) })
    }
  }

  @Test("NaN passes through ReLU at every place, so that a later check can see it")
  func reluNaN() {
    for place in 0..<40 {
      var a = [Float](repeating: -1, count: 40)
      a[place] = .nan
      let result = Tensor([40], a).relu()
      #expect(result.elements[place].isNaN && !result.isFinite)
      #expect(result.elements.count { $0 == 0 } == 39)
    }
  }

  @Test("ReLU's gradient passes only where the output is positive", arguments: oddLengths)
  func reluGradient(count: Int) {
    let (a, b) = inputs(count)
    let output = a.map { max($0, 0) }
    let gradient = guarded(count, initial: b) {
      kernels.reluBackward($0, output: output, count: count)
    }
    #expect(bits(gradient) == bits(zip(b, output).map { $1 > 0 ? $0 : 0 }))
  }

  @Test("the hyperbolic tangent has a relative error below 2⁻²² for inputs of all sizes")
  func tangent() {
    // Every 1009th float from 0 to infinity, with both signs.
    let inputs = stride(from: UInt32(0), through: 0x7F80_0000, by: 1009)
      .flatMap { [Float(bitPattern: $0), -Float(bitPattern: $0)] }
    let result = guarded(inputs.count) { kernels.tanh(inputs, count: inputs.count, into: $0) }
    var largest = 0.0
    for (x, y) in zip(inputs, result) {
      let expected = Glibc.tanh(Double(x))
      // Below the normal numbers, a unit in the last place is more than that.
      let size = max(abs(expected), Double(Float.leastNormalMagnitude))
      let error = abs(Double(y) - expected) / size
      largest = max(largest, error.isNaN ? .infinity : error)
      guard abs(y) <= 1, y.sign == x.sign else {
        Issue.record("tanh(\(x)) = \(y)")
        return
      }
    }
    #expect(largest < 0x1p-22)
    #expect(Tensor([2], [.infinity, -.infinity]).tanh().elements == [1, -1])
  }

  @Test(
    "the hyperbolic tangent has the same bits in every place, and NaN stays NaN",
    arguments: oddLengths)
  func tangentPlaces(count: Int) {
    var generator = SeededGenerator(test: 6)
    var a = (3 * generator.tensor([count])).elements
    if count > 3 { a[3] = .nan }
    let alone = bits(a.map { x in guarded(1) { kernels.tanh([x], count: 1, into: $0) }[0] })
    #expect(bits(guarded(count) { kernels.tanh(a, count: count, into: $0) }) == alone)
    #expect(bits(guarded(count, initial: a) { kernels.tanh($0, count: count, into: $0) }) == alone)
    #expect(zip(a, alone).allSatisfy { $0.isNaN == Float(bitPattern: $1).isNaN })

    let b = generator.tensor([count]).elements
    let gradient = guarded(count, initial: b) { kernels.tanhBackward($0, output: a, count: count) }
    let expected = zip(b, a).map { $0 * (1 - $1 * $1) }
    #expect(
      zip(gradient, expected).allSatisfy {
        abs($0 - $1) <= 1e-6 * abs($1) || ($0.isNaN && $1.isNaN)
      })
  }

  @Test("rounding takes halves to the even neighbour", arguments: oddLengths)
  func roundedToEven(count: Int) {
    var generator = SeededGenerator(test: 5)
    let halves = (0..<count).map { _ in Float(generator.index(below: 41) - 20) / 2 }
    let expected = halves.map { $0.rounded(.toNearestOrEven) }
    #expect(guarded(count) { kernels.round(halves, count: count, into: $0) } == expected)
    #expect(
      guarded(count, initial: halves) { kernels.round($0, count: count, into: $0) } == expected)
    let few = Tensor([6], [0.5, 1.5, 2.5, -0.5, -1.5, 0.49999997])
    #expect(few.rounded().elements == [0, 2, 2, 0, -2, 0])
  }

  @Test("clamping limits elements to both ends and keeps those between", arguments: oddLengths)
  func clamped(count: Int) {
    let a = inputs(count).b
    let expected = a.map { min(max($0, -0.25), 0.5) }
    #expect(
      guarded(count) { kernels.clamp(a, low: -0.25, high: 0.5, count: count, into: $0) } == expected
    )
    #expect(
      guarded(count, initial: a) {
        kernels.clamp($0, low: -0.25, high: 0.5, count: count, into: $0)
      }
        == expected)
    let ends = Tensor([4], [-.infinity, .infinity, -0.25, 0.5]).clamped(-0.25, 0.5)
    #expect(ends.elements == [-0.25, 0.5, -0.25, 0.5])
  }

  @Test("a row is repeated in every row of the matrix", arguments: oddLengths)
  func broadcast(columns: Int) {
    let row = inputs(columns).b
    for rows in [0, 1, 5] {
      let matrix = guarded(rows * columns) {
        kernels.broadcastRow(row, rows: rows, columns: columns, into: $0)
      }
      #expect(matrix == (0..<rows).flatMap { _ in row })
    }
  }

  @Test("the wrappers do what the kernels do, and do not change their operands")
  func wrappers() {
    let a = Tensor([2, 2], [1, -2, 3, -4])
    let b = Tensor([2, 2], [10, 20, 30, 40])
    #expect((a + b).elements == [11, 18, 33, 36])
    #expect((a - b).elements == [-9, -22, -27, -44])
    #expect((-2 * a).elements == [-2, 4, -6, 8])
    var total = a
    total += b
    total += total
    #expect(total.elements == [22, 36, 66, 72])
    var gradient = b
    gradient.zero(whereNotPositive: a.relu())
    #expect(gradient.elements == [10, 0, 30, 0])
    gradient = b
    gradient.multiply(byOneMinusSquareOf: Tensor([2, 2], [0, 0.5, -0.5, 1]))
    #expect(gradient.elements == [10, 15, 22.5, 0])
    #expect(a.elements == [1, -2, 3, -4] && b.elements == [10, 20, 30, 40])
    let difference = b.scaledDifference(from: a, factor: 0.5, rows: 1)
    #expect(difference.elements == [4.5, 11, 0, 0])
  }
}
