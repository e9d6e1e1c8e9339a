import Autograd
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

@Suite("VectorQuantize, the quantizer as an autograd function")
struct VectorQuantizeTests {
  private let codebook = Tensor([3, 2], [0, 0, 1, 1, 5, 5])
  private let vectors = Tensor([4, 2], [0.9, 1, 0.1, 0, 1.2, 1, 0.8, 0.9])

  @Test("the output is the nearest codeword, and the codes are its index")
  func forward() {
    let tape = Tape()
    let (output, codes) = vectorQuantize(tape.leaf(vectors), codebook: tape.leaf(codebook))
    #expect(codes.indices == [1, 0, 1, 1])
    #expect(output.value.elements == [1, 1, 0, 0, 1, 1, 1, 1])
  }

  /// The assignment `codebook_grad[indices] = z_q_grad` of "Debug note" would keep one of three gradients.
  @Test("gradients of vectors with the same codeword accumulate; an unused codeword gets zero")
  func backward() {
    let tape = Tape()
    let (z, e) = (tape.leaf(vectors), tape.leaf(codebook))
    let output = vectorQuantize(z, codebook: e).output
    let gradient = Tensor([4, 2], [1, 2, 10, 20, 100, 200, 1000, 2000])
    let gradients = tape.backward(from: output, gradient: gradient)
    #expect(gradients[z]?.elements == gradient.elements)
    #expect(gradients[e]?.elements == [10, 20, 1101, 2202, 0, 0])
  }

  @Test("neither a detached codebook nor detached vectors get a gradient")
  func detached() {
    let tape = Tape()
    let (z, e) = (tape.leaf(vectors), tape.leaf(codebook))
    let first = vectorQuantize(z, codebook: e.detach()).output
    #expect(tape.backward(from: first.sum())[e] == nil)

    let other = Tape()
    let (y, d) = (other.leaf(vectors), other.leaf(codebook))
    let second = vectorQuantize(y.detach(), codebook: d).output
    #expect(other.backward(from: second.sum())[y] == nil)
  }

  /// A minimum over NaN could choose any codeword.
  @Test("a vector that is not finite has no code, and its output is NaN")
  func notFinite() {
    let tape = Tape()
    let vectors = Tensor([3, 2], [.nan, 0, 1, 1, .infinity, 2])
    let (output, codes) = vectorQuantize(tape.leaf(vectors), codebook: tape.leaf(codebook))
    #expect(codes.indices == [Codes.invalid, 1, Codes.invalid])
    #expect(output.value.elements[2...3] == [1, 1])
    #expect(output.value.elements.filter(\.isNaN).count == 4)
    #expect(CodebookUsage("q", codewords: 3, codes: codes, validCount: 3).counts == [0, 1, 0])
  }
}
