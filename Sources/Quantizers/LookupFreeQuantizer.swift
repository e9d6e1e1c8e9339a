import Autograd
import NN
import Options
import Tensors

/// The quantizer whose codewords are the corners of a cube, `lfq`: the code of a vector is the signs of its
/// components (Yu et al. 2023, "Language model beats diffusion: tokenizer is key to visual generation",
/// MAGVIT-v2, section 3.1).
///
///     y        = z / √(mean of z² + ε)
///     codeword = 1 where y > 0, else −1                     so 0 counts as −1
///     code     = Σ over components d of 2^d · [y_d > 0]
///     loss     = β·mean (y − sg[codeword])² + λ·(mean of H(p) − γ·H(mean of p))
///
/// where p are the probabilities of the codes for a vector, ``BitProbabilities``, and λ is the weight `entropy`.
/// The first entropy makes each choice clear, the second uses all codes evenly.
///
/// *Normalisation.* The paper has none, but signs do not depend on the length of a vector, so without it
/// nothing but β holds the length: the entropy of a code falls when it grows, until the probabilities are
/// saturated and their gradients vanish. Users of other programs cannot train without it
/// (lucidrains/vector-quantize-pytorch, issues 78, 88 and 120). With a root mean square of 1 every vector has the
/// length of the codewords, and τ has one meaning. One component would be left without a gradient, so there are
/// at least two.
///
/// *The entropy of the mean.* H(mean of p) is a function of the whole batch, and not a sum over its shards, as
/// a loss has to be here for a step to give the same bytes on any number of threads. So it is replaced by its
/// tangent at p̄, a moving average of the mean of p of the steps before: the term `diversity` is
///
///     mean over vectors of Σ over codes of p(k)·log p̄(k)
///
/// whose gradient is that of −H at p̄, up to a constant on p, whose sum is 1. An average over steps also helps
/// with small batches: 2,048 vectors say little about 2¹⁸ codes, and the entropy of their mean is biased. A long
/// memory does not help: the vectors would be sent to codes that were rare a hundred steps ago.
///
///     average ← decay·average + (1 − decay)·mean of p
///     p̄       = (1 − δ)·average / Σ average + δ / 2^D,     uniform before the first update
///
/// The sum of the average is 1 − decayᵗ after t steps, so dividing by it is the correction of the bias of a
/// start at zero. δ bounds the logarithm of a code that no vector comes near.
package struct LookupFreeQuantizer: Quantizer {
  /// D.
  package let dimension: Int
  /// β.
  package let commitment: Float
  /// λ. If 0, there are no entropies.
  package let entropy: Float
  /// γ. If 0, no average is kept.
  package let diversity: Float
  package let probabilities: BitProbabilities
  /// The average of the codes' probabilities, `[2^D]`, or nil if the loss does not depend on it.
  package let average: Parameter?
  package let decay: Double

  /// ε of the normalisation: vectors of a root mean square of 10⁻³ become shorter than 1.
  static let epsilon = 1e-6
  /// δ.
  static let smoothing = 1e-3

  /// - Parameter name: the name of the latent.
  package init(
    _ name: String, bits: Int, commitment: Float, entropy: Float, diversity: Float = 1,
    temperature: Double = 0.5, decay: Double = 0.5
  ) {
    precondition(LFQKind.bits.contains(bits), "\(bits) bits")
    dimension = bits
    self.commitment = commitment
    self.entropy = entropy
    self.diversity = diversity
    probabilities = BitProbabilities(temperature: temperature)
    self.decay = decay
    average =
      entropy > 0 && diversity > 0
      ? Parameter(
        "\(name).ema.probabilities", [1 << bits], initializer: .zeros, role: .buffer,
        isTrainingState: true, isNonnegative: true) : nil
  }

  package var parameters: [Parameter] { [average].compactMap(\.self) }
  package var alphabet: [Int] { [1 << dimension] }

  package func quantize(_ z: Variable, in shard: ShardContext) -> Quantized {
    let y = normalizeRows(z, epsilon: Self.epsilon)
    let (output, codes) = quantizeSigns(y)
    var terms = [
      LossTerm(
        "commitment", meanSquaredError(y, output.detach(), in: shard), weight: commitment)
    ]
    var statistics: [Tensor] = []
    if entropy > 0 {
      let positions = z.shape[1] * z.shape[2]
      let attributes = EntropyAttributes(
        probabilities, factor: 1 / Double(shard.batchSize * positions),
        validCount: shard.validCount * positions)
      terms.append(LossTerm("entropy", codeEntropy(y, attributes), weight: entropy))
      if let average {
        let logarithms = Self.logarithms(ofAverage: z.tape.read(average).value)
        let (expectation, probabilities) = codeExpectation(of: logarithms, y, attributes)
        terms.append(LossTerm("diversity", expectation, weight: entropy * diversity))
        statistics = [probabilities]
      }
    }
    return Quantized(output: output, codes: codes, terms: terms, statistics: statistics)
  }

  package func codes(of z: Tensor, _: ParameterValues) -> Codes {
    z.normalizedRows(epsilon: Self.epsilon).rows.signCodes()
  }

  package func codewords(_ codes: Codes, on tape: Tape) -> Variable {
    tape.constant(Tensor(signsOf: codes, bits: dimension))
  }

  // MARK: Average

  package var statisticsShapes: [Shape] { parameters.map(\.shape) }

  /// log p̄, `[2^D]`.
  ///
  /// - Parameter average: not yet divided by its sum; zero before the first update.
  package static func logarithms(ofAverage average: Tensor) -> Tensor {
    let (total, count) = (average.sum(), Double(average.count))
    guard total > 0 else {
      return Tensor(average.shape, repeating: Float(-naturalLogarithm(count)))
    }
    return Tensor(average.shape) { target in
      average.withUnsafePointer { average in
        for k in 0..<Int(count) {
          target[k] = Float(
            naturalLogarithm((1 - smoothing) * Double(average[k]) / total + smoothing / count))
        }
      }
    }
  }

  package func update(_ state: inout ModelState, with statistics: [Tensor], step _: Int) {
    guard let average, statistics[0].isFinite else { return }
    state.values[average].average(statistics[0], old: Float(decay), new: Float(1 - decay))
  }
}

// MARK: Signs

extension Tensor {
  /// The codes of the signs of vectors `[…, D]`: bit d is 1 if component d is positive. Invalid if a component
  /// is not finite.
  func signCodes() -> Codes {
    let width = shape.width
    let indices = withUnsafePointer { elements in
      (0..<shape.rows).map { n in
        var code: Int32 = 0
        for d in 0..<width {
          let component = elements[n * width + d]
          guard component.isFinite else { return Codes.invalid }
          if component > 0 { code |= 1 << d }
        }
        return code
      }
    }
    return Codes(Shape(shape.extents.dropLast()), indices)
  }

  /// The signs of codes of some bits: `[…]` becomes `[…, bits]`. An invalid code gives NaN.
  init(signsOf codes: Codes, bits: Int) {
    self.init(Shape(codes.shape.extents + [bits])) { target in
      for (n, code) in codes.indices.enumerated() {
        precondition(code >= Codes.invalid && code < 1 << bits, "a code has more than \(bits) bits")
        for d in 0..<bits {
          target[n * bits + d] =
            code == Codes.invalid ? .nan : ((code >> d) & 1 == 1 ? 1 : -1)
        }
      }
    }
  }
}

/// The signs of vectors `[…, D]`, ±1, where 0 counts as −1.
///
/// `backward` takes the sign as the identity (straight-through). The codes are a non-differentiable output, and
/// the signs are computed from them, so that decoding gives the same bytes.
package enum QuantizeSigns: Function {
  package typealias NonDifferentiable = Codes

  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>
  ) -> Tensor {
    let codes = inputs[0].signCodes()
    context.returnNonDifferentiable(codes)
    return Tensor(signsOf: codes, bits: inputs[0].shape.width)
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _: Context<Self>
  ) -> [Tensor?] {
    [gradient]
  }
}

/// ``QuantizeSigns`` as a function of a variable.
package func quantizeSigns(_ y: Variable) -> (output: Variable, codes: Codes) {
  let result = QuantizeSigns.apply([y])
  guard let codes = result.nonDifferentiable else {
    preconditionFailure("QuantizeSigns returns codes")
  }
  return (result.output, codes)
}

// MARK: Configuration

/// ``LookupFreeQuantizer`` in a configuration.
package enum LFQKind: QuantizerKind {
  package struct Options: FieldOptions {
    /// D.
    package var bits = 9
    /// β.
    package var commitment = 0.25
    /// λ. With 0.1, as in other programs, the error on CIFAR-10 is larger (docs/training.md).
    package var entropy = 0.02
    /// γ.
    package var diversity = 1.0
    /// τ.
    package var temperature = 0.5
    /// Of the average of the probabilities. With a long memory the encoder moves to codes that are rare no
    /// longer: 0.99 leaves a few dozen of 512 codes in use.
    package var entropyDecay = 0.5

    package init() {}
  }

  /// One component that is divided by its own size has no gradient; above 18 a vector's sums over the codes take
  /// longer than everything else.
  static let bits = 2...18

  package static let name = "lfq"
  package static let fields: [Field<Options>] = [
    .integer("bits", \.bits, bits, "bits of a code, one for each component; K is 2^bits"),
    .number("commitment", \.commitment, 0..<1e6, "the weight β"),
    .number("entropy", \.entropy, 0..<1e6, "the weight of both entropies of the codes"),
    .number(
      "diversity", \.diversity, 0..<1e6,
      "the weight of the entropy of all vectors beside that of each"),
    .number("temperature", \.temperature, 1e-3..<1e6, "τ of the probabilities of codes"),
    .number(
      "entropy_decay", \.entropyDecay, 0..<1,
      "decay of the average that the entropy of all vectors is computed with"),
  ]

  package static func fault(in options: Options) -> FieldFault? {
    let initial = Options()
    /// The fault of the first field that differs from its default, or nil if none does.
    func unused(_ fields: [(String, KeyPath<Options, Double>)], without part: String) -> FieldFault?
    {
      fields.first { options[keyPath: $0.1] != initial[keyPath: $0.1] }.map { name, path in
        FieldFault(
          [name, part], "has no effect with quantizer.\(part) 0; leave it out")
      }
    }
    if options.entropy == 0 {
      return unused(
        [
          ("diversity", \.diversity), ("temperature", \.temperature),
          ("entropy_decay", \.entropyDecay),
        ],
        without: "entropy")
    }
    return options.diversity == 0
      ? unused([("entropy_decay", \.entropyDecay)], without: "diversity") : nil
  }

  package static func dimension(_ options: Options) -> Int { options.bits }

  package static func quantizer(_ name: String, _ options: Options) -> any Quantizer {
    LookupFreeQuantizer(
      name, bits: options.bits, commitment: Float(options.commitment),
      entropy: Float(options.entropy), diversity: Float(options.diversity),
      temperature: options.temperature, decay: options.entropyDecay)
  }
}
