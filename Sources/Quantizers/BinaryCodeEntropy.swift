import Autograd
import Tensors

/// How likely each code of D bits is for a vector: the softmax of −distance / τ over the corners of the cube,
/// the codewords of ``LookupFreeQuantizer`` (Jansen et al. 2020, "Coincidence, categorization and
/// consolidation", as Yu et al. 2023 use it).
///
/// A corner c has ±1 in each component, so ‖y − c‖² = ‖y‖² + D − 2·y·c. The first two parts are the same for
/// all corners, and the third is a sum over the bits, so the bits are independent:
///
///     p(c) ∝ exp(2·y·c / τ) = Π over bits of exp(2·y_d·c_d / τ)
///     q_d  = exp(2·y_d / τ) / (exp(2·y_d / τ) + exp(−2·y_d / τ)) = sigmoid(4·y_d / τ)
///
/// where q_d is the probability that bit d is 1.
package struct BitProbabilities: Sendable {
  /// 4 / τ.
  fileprivate let slope: Double

  package init(temperature: Double) { slope = 4 / temperature }

  /// q and 1 − q for a component, each with a small relative error, and x = 4·y / τ.
  fileprivate func of(_ y: Float) -> (x: Double, one: Double, zero: Double) {
    let x = slope * Double(y)
    let power = exponential(-abs(x))
    let (large, small) = (1 / (1 + power), power / (1 + power))
    return x < 0 ? (x, small, large) : (x, large, small)
  }
}

/// What an entropy of codes is computed of besides the vectors.
package struct EntropyAttributes: Sendable {
  let probabilities: BitProbabilities
  /// 1 / vectors of the whole batch, so that the shards of a batch add up to its mean.
  let factor: Double
  /// The number of vectors that count, from the first; the others are padding.
  let validCount: Int

  package init(_ probabilities: BitProbabilities, factor: Double, validCount: Int) {
    self.probabilities = probabilities
    self.factor = factor
    self.validCount = validCount
  }
}

/// `factor · Σ over vectors of H(p)`, the entropy in nats of the code of one vector. A scalar.
///
/// The bits are independent, so H(p) = Σ over bits of h(q), with x = 4·y / τ and
///
///     h(q) = −q·log q − (1 − q)·log(1 − q) = log(1 + exp(−|x|)) + |x|·min(q, 1 − q)
///     dh/dx = −x·q·(1 − q)
///
/// Input: y, `[…, D]`.
package enum CodeEntropy: Function {
  package typealias Attributes = EntropyAttributes
  /// The gradient of y, `[…, D]`. Forward computes it, since it needs the same exponentials.
  package typealias Saved = Tensor

  package static func forward(
    _ inputs: Inputs<Tensor>, _ attributes: EntropyAttributes, _ context: inout Context<Self>
  ) -> Tensor {
    let y = inputs[0]
    let (probabilities, factor) = (attributes.probabilities, attributes.factor)
    let valid = attributes.validCount * y.shape.width
    precondition((0...y.count).contains(valid), "\(attributes.validCount) vectors of \(y.shape)")
    var sum = 0.0
    let gradient = Tensor(y.shape) { gradient in
      y.withUnsafePointer { y in
        for i in 0..<valid {
          let (x, one, zero) = probabilities.of(y[i])
          let small = min(one, zero)
          // log(1 + exp(−|x|)) = −log of the larger probability.
          sum += abs(x) * small - naturalLogarithm(max(one, zero))
          gradient[i] = Float(-factor * probabilities.slope * x * one * zero)
        }
      }
      (gradient + valid).update(repeating: 0, count: y.count - valid)
    }
    context.save(gradient)
    return Tensor(scalar: Float(factor * sum))
  }

  package static func backward(
    _ gradient: consuming Tensor, _: EntropyAttributes, _ context: Context<Self>
  ) -> [Tensor?] {
    [gradient.scalar * context.saved]
  }
}

/// ``CodeEntropy`` as a function of a variable.
package func codeEntropy(_ y: Variable, _ attributes: EntropyAttributes) -> Variable {
  CodeEntropy.apply([y], attributes).output
}

/// `factor · Σ over vectors of Σ over codes of p(k)·w[k]`, the expectation of a weight of each code. A scalar.
///
/// The sum over the 2^D codes is folded one bit at a time, the highest first: with bit d, which is 1 with
/// probability q_d,
///
///     w[j] ← w[j] + q_d·(w[j + 2^d] − w[j])     for j < 2^d
///
/// so that a vector needs no probability of a code. The last number left is the sum. It is linear in each q_d,
/// and the derivative is the difference in the brackets, folded by the bits below d. So forward computes the
/// derivatives too: it has the folds at hand, which for all vectors would be `[N, 2^D]`.
///
/// Inputs: y, `[…, D]`, and the weights, `[2^D]`, which get no gradient. The non-differentiable output is
/// `factor · Σ over vectors of p`, `[2^D]`.
package enum CodeExpectation: Function {
  package typealias Attributes = EntropyAttributes
  /// The gradient of y, `[…, D]`.
  package typealias Saved = Tensor
  package typealias NonDifferentiable = Tensor

  package static func forward(
    _ inputs: Inputs<Tensor>, _ attributes: EntropyAttributes, _ context: inout Context<Self>
  ) -> Tensor {
    precondition(!context.needsGradient[1], "the weights of codes get no gradient")
    let (y, weights) = (inputs[0], inputs[1])
    let bits = y.shape.width
    precondition(weights.count == 1 << bits, "\(weights.count) weights for codes of \(bits) bits")
    precondition(
      (0...y.shape.rows).contains(attributes.validCount),
      "\(attributes.validCount) vectors of \(y.shape)")
    var folds = Folds(bits: bits)
    var sum = 0.0
    var total = Tensor(zeros: weights.shape)
    var gradient = Tensor(zeros: y.shape)
    y.withUnsafePointer { y in
      weights.withUnsafePointer { weights in
        total.withUnsafeMutablePointer { total in
          gradient.withUnsafeMutablePointer { gradient in
            for n in 0..<attributes.validCount {
              folds.setProbabilities(y + n * bits, attributes.probabilities)
              sum += Double(folds.fold(weights))
              for d in 0..<bits {
                gradient[n * bits + d] = Float(attributes.factor * folds.gradient(ofBit: d))
              }
              folds.addProbabilities(times: Float(attributes.factor), to: total)
            }
          }
        }
      }
    }
    context.save(gradient)
    context.returnNonDifferentiable(total)
    return Tensor(scalar: Float(attributes.factor * sum))
  }

  package static func backward(
    _ gradient: consuming Tensor, _: EntropyAttributes, _ context: Context<Self>
  ) -> [Tensor?] {
    [gradient.scalar * context.saved, nil]
  }
}

/// ``CodeExpectation`` as a function of variables.
///
/// - Parameter weights: `[2^D]`.
package func codeExpectation(
  of weights: Tensor, _ y: Variable, _ attributes: EntropyAttributes
) -> (expectation: Variable, probabilities: Tensor) {
  let result = CodeExpectation.apply([y, y.tape.constant(weights)], attributes)
  guard let probabilities = result.nonDifferentiable else {
    preconditionFailure("CodeExpectation returns probabilities")
  }
  return (result.output, probabilities)
}

/// The sums over the codes of one vector; its memory is used for one vector after another.
private struct Folds {
  private let bits: Int
  /// For each bit, q, dq/dy, and the derivative of the fold by q.
  private var ones: [Float]
  private var slopes: [Double]
  private var derivatives: [Float]
  /// `[2^(D − 1)]` each: what is folded, and the differences by one bit.
  private var folded: [Float]
  private var differences: [Float]
  /// The probabilities of the codes, `[2^D]`.
  private var codes: [Float]

  init(bits: Int) {
    self.bits = bits
    ones = Array(repeating: 0, count: bits)
    slopes = Array(repeating: 0, count: bits)
    derivatives = ones
    folded = Array(repeating: 0, count: 1 << (bits - 1))
    differences = folded
    codes = Array(repeating: 0, count: 1 << bits)
  }

  /// - Parameter y: a vector, `[D]`.
  mutating func setProbabilities(_ y: UnsafePointer<Float>, _ probabilities: BitProbabilities) {
    for d in 0..<bits {
      let (_, one, zero) = probabilities.of(y[d])
      ones[d] = Float(one)
      slopes[d] = probabilities.slope * one * zero
    }
  }

  /// The expectation of weights `[2^D]`. Keeps its derivative by each q.
  mutating func fold(_ weights: UnsafePointer<Float>) -> Float {
    folded.withUnsafeMutableBufferPointer { folded in
      differences.withUnsafeMutableBufferPointer { differences in
        guard let folded = folded.baseAddress, let differences = differences.baseAddress else {
          preconditionFailure("a code has at least one bit")
        }
        for d in (0..<bits).reversed() {
          let low = d == bits - 1 ? weights : UnsafePointer(folded)
          let (half, one) = (1 << d, ones[d])
          for j in 0..<half { differences[j] = low[half &+ j] - low[j] }
          for j in 0..<half { folded[j] = low[j] + one * differences[j] }
          for e in (0..<d).reversed() {
            let (high, one) = (differences + (1 << e), ones[e])
            for j in 0..<(1 << e) { differences[j] += one * (high[j] - differences[j]) }
          }
          derivatives[d] = differences[0]
        }
        return folded[0]
      }
    }
  }

  /// The derivative of the last fold by component d of the vector.
  func gradient(ofBit d: Int) -> Double { slopes[d] * Double(derivatives[d]) }

  /// Adds `factor · p` to `[2^D]` numbers.
  mutating func addProbabilities(times factor: Float, to total: UnsafeMutablePointer<Float>) {
    codes.withUnsafeMutableBufferPointer { codes in
      guard let codes = codes.baseAddress else { return }
      codes[0] = factor
      for d in 0..<bits {
        let (high, one) = (codes + (1 << d), ones[d])
        for j in 0..<(1 << d) {
          let part = one * codes[j]
          high[j] = part
          codes[j] -= part
        }
      }
      for k in 0..<(1 << bits) { total[k] += codes[k] }
    }
  }
}
