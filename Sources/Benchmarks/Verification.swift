import Autoencoders
import Autograd
import Diagnostics
import Files
import Quantizers
import Tensors

/// Compares the kernels used in training a model with the reference, on the model's shapes.
package struct Verification: Sendable, Encodable {
  /// The largest accepted error, relative to the largest element of the reference's result. Both add up the
  /// same products in Float, but in another order, or with a transform before and after (Winograd). Over the
  /// 4096 terms of a filter gradient, either causes an error of a few millionths; a wrong index or a missing
  /// row causes one of a tenth.
  package static let tolerance = 2e-5

  /// The number of distinct convolution calls, and of vectors, that were compared.
  package private(set) var convolutions = 0
  package private(set) var vectors = 0
  /// The largest error, relative to the largest element of the reference's result.
  package private(set) var largestError = 0.0
  package let tolerance = Verification.tolerance

  private enum CodingKeys: String, CodingKey {
    case convolutions, vectors, largestError, tolerance
  }

  /// Throws a `Problem` if a kernel is wrong.
  ///
  /// - Parameter images: the number of images for each convolution, as a kernel gets them in training.
  package init(
    _ calls: [ConvolutionCall], images: Int, searches: [CodebookSearch],
    kernels: ConvolutionKernels, reference: ConvolutionKernels = .reference
  ) throws {
    for call in calls {
      let operands = ConvolutionOperands(call, count: images)
      let error = Self.error(
        kernels.compute(call, operands), reference.compute(call, operands))
      // Not `error > tolerance`, which NaN would pass.
      guard error <= Self.tolerance else {
        throw Self.problem(
          call.name, "off by \(error) of the largest element of the reference's result",
          expected: "at most \(Self.tolerance)")
      }
      convolutions += 1
      largestError = max(largestError, error)
    }
    for search in searches { try verify(search) }
  }

  private static func error(_ result: Tensor, _ expected: Tensor) -> Double {
    guard result.shape == expected.shape else { return .infinity }
    var (largest, difference) = (0.0, 0.0)
    for (x, y) in zip(result.elements, expected.elements) {
      largest = max(largest, abs(Double(y)))
      let distance = abs(Double(x) - Double(y))
      if !(distance <= difference) { difference = distance.isNaN ? .infinity : distance }
    }
    return difference == 0 ? 0 : difference / largest
  }

  /// Compares a search with the definition, computed in Double.
  private mutating func verify(_ search: CodebookSearch) throws {
    let shape = search.codebook
    // Few enough vectors that the definition takes less than a second.
    let count = max(1, min(1024, 100_000_000 / max(1, shape.count)))
    let (codebook, vectors) = (
      randomTensor(shape, "codebook"), randomTensor([count, shape[1]], "vectors")
    )
    let found = search.compute(codebook, vectors)
    guard found.shape == [count] else {
      throw Self.problem("nearest codeword", "\(found.shape) codes", expected: "\(count)")
    }
    let width = shape[1]
    let (points, codewords) = (vectors.elements, codebook.elements)
    func distance(_ n: Int, _ k: Int) -> Double {
      var sum = 0.0
      for i in 0..<width {
        let difference = Double(points[n * width + i]) - Double(codewords[k * width + i])
        sum += difference * difference
      }
      return sum
    }
    for n in 0..<count {
      let code = Int(found.indices[n])
      var nearest = 0
      var least = Double.infinity
      for k in 0..<shape[0] {
        let distance = distance(n, k)
        if distance < least { (nearest, least) = (k, distance) }
      }
      // With a tie, two orders of summation in Double can choose either codeword.
      guard
        code == nearest
          || (code >= 0 && code < shape[0] && distance(n, code) <= least * (1 + 1e-12))
      else {
        throw Self.problem(
          "nearest codeword", "vector \(n) got the code \(code)", expected: "\(nearest)")
      }
    }
    self.vectors += count
  }

  private static func problem(_ subject: String, _ found: String, expected: String) -> Problem {
    Problem(
      .failure, subject, found: found, expected: expected,
      advice:
        "One of these kernels gives wrong results on this machine, so nothing was measured. "
        + "Train with training.kernels=openblas, and report it.")
  }
}
