import Autograd
import Glibc
import Quantizers
import Tensors
import TestSupport
import Testing

/// λ·R of the paper as a matrix, in Double.
private func rotation(_ z: [Double], _ e: [Double]) -> [[Double]] {
  func length(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
  let (zUnit, eUnit) = (z.map { $0 / length(z) }, e.map { $0 / length(e) })
  let sum = zip(zUnit, eUnit).map { $0 + $1 }
  let r = sum.map { $0 / length(sum) }
  let scale = length(e) / length(z)
  return z.indices.map { i in
    z.indices.map { j in
      scale * ((i == j ? 1 : 0) - 2 * r[i] * r[j] + 2 * eUnit[i] * zUnit[j])
    }
  }
}

@Suite("The rotation trick") struct RotationTests {
  private func gradient(z: [Float], e: [Float], g: [Float]) -> (output: [Float], gradient: [Float])
  {
    let tape = Tape()
    let shape: Shape = [1, z.count]
    let vectors = tape.leaf(Tensor(shape, z))
    let output = RotateToCodeword.apply([vectors, tape.constant(Tensor(shape, e))]).output
    let gradients = tape.backward(from: output, gradient: Tensor(shape, g))
    return (output.value.elements, gradients[vectors]?.elements ?? [])
  }

  @Test(
    "the output is the codeword, and the gradient is λ·Rᵀ·g; λ·R·z is the codeword",
    arguments: 1...20)
  func definition(seed: Int) {
    var generator = SeededGenerator(test: seed)
    let (z, e, g) = (
      (0..<5).map { _ in generator.normal() }, (0..<5).map { _ in 3 * generator.normal() },
      (0..<5).map { _ in generator.normal() }
    )
    let found = gradient(z: z, e: e, g: g)
    #expect(found.output == e)
    let matrix = rotation(z.map(Double.init), e.map(Double.init))
    for i in 0..<5 {
      let image = (0..<5).reduce(0.0) { $0 + matrix[i][$1] * Double(z[$1]) }
      #expect(abs(image - Double(e[i])) < 1e-12 * 10)
      let expected = (0..<5).reduce(0.0) { $0 + matrix[$1][i] * Double(g[$1]) }
      // One rounding of a sum computed in double precision; λ is at most 30 here.
      #expect(abs(Double(found.gradient[i]) - expected) < 1e-5 * max(1, abs(expected)))
    }
  }

  @Test("the length of the gradient is scaled by λ = ‖e‖ / ‖z‖")
  func length() {
    func length(_ x: [Float]) -> Float { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    let (z, e, g): ([Float], [Float], [Float]) = ([1, 2, 2], [0, 4, -3], [0.3, -1, 0.2])
    let found = gradient(z: z, e: e, g: g).gradient
    #expect(abs(length(found) - length(g) * 5 / 3) < 1e-5)
  }

  @Test("without a direction the gradient passes unchanged", arguments: [Float(0), 1e-9])
  func short(scale: Float) {
    let g: [Float] = [1, -2]
    #expect(gradient(z: [scale, 0], e: [3, 4], g: g).gradient == g)
    #expect(gradient(z: [3, 4], e: [scale, scale], g: g).gradient == g)
  }

  @Test("in opposite directions it is reflected, and stays finite near them")
  func opposite() {
    // z along the first axis: g₁ changes its sign, the rest is scaled.
    let found = gradient(z: [2, 0, 0], e: [-6, 0, 0], g: [1, 5, -7])
    #expect(found.output == [-6, 0, 0])
    #expect(found.gradient == [-3, 15, -21])
    for offset: Float in [1e-3, 1e-5, 1e-6, 1e-7, 1e-8] {
      let near = gradient(z: [2, 0, 0], e: [-6, offset, 0], g: [1, 5, -7]).gradient
      let square = near.reduce(0) { $0 + $1 * $1 }
      // A rotation or reflection keeps lengths: 9·75.
      #expect(abs(square - 675) < 1, "\(offset): \(near)")
    }
  }
}
