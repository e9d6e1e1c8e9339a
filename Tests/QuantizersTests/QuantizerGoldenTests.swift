import Autograd
import NN
import Options
import Quantizers
import Tensors
import TestSupport
import Testing

/// The cases of quantizers.safetensors, with the settings of scripts/goldens/quantizer_cases.
///
/// To add one, add its Python file and a case here.
private enum QuantizerCase: String, CaseIterable {
  case vq
  case vqRotation = "vq.rotation"
  case emaKeep = "ema.keep"
  case emaOrigin = "ema.origin"
  case cosineVQ = "cosine.vq"
  case cosineEMA = "cosine.ema"
  case cosineRotation = "cosine.rotation"
  case simvq
  case residualSeparate = "residual.separate"
  case residualShared = "residual.shared"
  case residualSharedEMA = "residual.shared_ema"
  case residualRotation = "residual.rotation"
  case grouped

  var quantizer: any Quantizer {
    switch self {
    case .vq, .vqRotation:
      VQKind.quantizer("q", options { $0.codebook = codebook })
    case .emaKeep, .emaOrigin:
      EMAKind.quantizer("q", options { ($0.codebook, $0.averages) = (codebook, averages) })
    case .cosineVQ, .cosineEMA, .cosineRotation:
      CosineKind.quantizer("q", options { $0.inner = inner })
    case .simvq: SimVQKind.quantizer("q", options { $0.codebook = codebook })
    case .residualSeparate, .residualShared, .residualSharedEMA, .residualRotation:
      ResidualKind.quantizer(
        "q",
        options {
          $0.inner = inner
          $0.stages = self == .residualRotation ? 2 : 3
          $0.codebooks =
            [.residualShared, .residualSharedEMA].contains(self) ? .shared : .separate
        })
    case .grouped: GroupedKind.quantizer("q", options { $0.inner = inner })
    }
  }

  private func options<Options: FieldOptions>(_ set: (inout Options) -> Void) -> Options {
    var result = Options()
    set(&result)
    return result
  }

  private var codebook: CodebookOptions {
    var result = CodebookOptions()
    (result.size, result.dimension, result.commitment) = (8, 4, 0.25)
    if rawValue.hasSuffix("rotation") { result.straightThrough = .rotation }
    return result
  }

  private var averages: AverageOptions {
    var result = AverageOptions()
    (result.decay, result.epsilon) = (0.9, 1e-2)
    result.unused = self == .emaOrigin ? .origin : .keep
    return result
  }

  private var inner: InnerOptions {
    var result = InnerOptions()
    result.codebook = codebook
    if rawValue.hasSuffix("ema") {
      (result.update, result.averages) = (.ema, averages)
    } else {
      result.update = .vq
    }
    return result
  }
}

/// One step of each quantizer against values that an independent description in PyTorch computed in double
/// precision.
///
/// The goldens' script asserts that no choice of a codeword is closer than 1e-3 of the mean squared distance, so
/// Float's rounding cannot flip one. Every value follows from its inputs by a few roundings and a sum of at most
/// 144 squares, and each rounding is 6e-8; 1e-6 of the largest element leaves room for both.
@Suite("The quantizers agree with PyTorch") struct QuantizerGoldenTests {
  private static let tolerance = 1e-6
  private static let (step, learningRate): (Int, Float) = (3, 0.5)
  private let golden: Golden

  init() throws { golden = try Golden("quantizers") }

  /// The batch is a shard of two images, or two of one each, whose results add up.
  @Test(
    "codes, output, terms, gradients and the state after a step",
    arguments: QuantizerCase.allCases, [1, 2])
  fileprivate func step(case name: QuantizerCase, shards: Int) throws {
    let (prefix, quantizer) = (name.rawValue, name.quantizer)
    var state = try state(of: quantizer, prefix)
    let batch = try Batch(quantizer, state.values, golden, shards: shards)

    let codes = try golden("\(prefix).codes")
    #expect(batch.codes.map(Float.init) == codes.elements)
    check(batch.output, try golden("\(prefix).output"), "output")
    let terms = try golden("\(prefix).terms")
    #expect(batch.terms.count == terms.count)
    for (i, expected) in terms.elements.enumerated() {
      #expect(abs(batch.terms[i] / expected - 1) < Float(Self.tolerance), "term \(i)")
    }

    check(batch.gradient, try golden("\(prefix).gradients.z"), "gradient of z")
    let trained = quantizer.parameters.filter { $0.role == .trained }
    #expect(Set(batch.gradients.keys) == Set(trained.map(\.name)))
    for parameter in trained {
      let gradient = try #require(batch.gradients[parameter.name])
      check(gradient, try golden("\(prefix).gradients.\(parameter.name)"), parameter.name)
      state.values[parameter] = state.values[parameter] - Self.learningRate * gradient
    }

    quantizer.update(&state, with: batch.statistics, step: Self.step)
    for parameter in quantizer.parameters where golden.has("\(prefix).updated.\(parameter.name)") {
      check(
        state.values[parameter], try golden("\(prefix).updated.\(parameter.name)"),
        "updated \(parameter.name)")
    }
  }

  @Test("outside training the codes and codewords are the same", arguments: QuantizerCase.allCases)
  fileprivate func evaluation(case name: QuantizerCase) throws {
    let (prefix, quantizer) = (name.rawValue, name.quantizer)
    let values = try state(of: quantizer, prefix).values
    let codes = quantizer.codes(of: try golden("z"), values)
    let expected = try golden("\(prefix).codes")
    #expect(codes.shape == expected.shape && codes.indices.map(Float.init) == expected.elements)
    check(
      quantizer.codewords(codes, on: Tape(values)).value, try golden("\(prefix).output"),
      "codewords")
  }

  @Test("every tensor of the file has a test")
  func coverage() {
    let cases = QuantizerCase.allCases.map(\.rawValue) + ["vq.restart", "ema.restart"]
    for name in golden.names where !["z", "output_gradient"].contains(name) {
      #expect(
        cases.contains { name.hasPrefix("\($0).") }, "\(name) belongs to no case")
    }
  }

  // MARK: Restarts

  private var restarting: CodebookOptions {
    var result = CodebookOptions()
    (result.size, result.dimension) = (8, 4)
    (result.restart.every, result.restart.below) = (1, 0.2)
    return result
  }

  /// Copies, and a mean.
  @Test("a restart replaces codeword and count, and clears both moments")
  func restartVQ() throws {
    var options = VQKind.Options()
    options.codebook = restarting
    let quantizer = VQKind.quantizer("q", options)
    var state = try state(of: quantizer, "vq.restart")
    let codebook = try #require(quantizer.codebook).parameter
    state.firstMoments[codebook] = try golden("vq.restart.moments.first")
    state.secondMoments[codebook] = try golden("vq.restart.moments.second")
    quantizer.update(
      &state, with: [try golden("vq.restart.counts"), try golden("vq.restart.candidates")],
      step: Self.step)
    try checkUpdated(quantizer, state, "vq.restart")
    check(
      state.firstMoments[codebook], try golden("vq.restart.updated.moments.first"), "first moments")
    check(
      state.secondMoments[codebook], try golden("vq.restart.updated.moments.second"),
      "second moments")
  }

  @Test("a restart replaces codeword, size and sum of moving averages")
  func restartEMA() throws {
    var options = EMAKind.Options()
    options.codebook = restarting
    (options.averages.decay, options.averages.epsilon) = (0.9, 1e-2)
    let quantizer = EMAKind.quantizer("q", options)
    var state = try state(of: quantizer, "ema.restart")
    quantizer.update(
      &state,
      with: try ["counts", "sums", "candidates"].map { try golden("ema.restart.\($0)") },
      step: Self.step)
    try checkUpdated(quantizer, state, "ema.restart")
  }

  // MARK: Helpers

  private func check(
    _ found: Tensor, _ expected: Tensor, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expectClose(
      found, expected, tolerance: Self.tolerance, what, sourceLocation: sourceLocation)
  }

  private func checkUpdated(
    _ quantizer: any Quantizer, _ state: ModelState, _ prefix: String
  ) throws {
    for parameter in quantizer.parameters {
      check(
        state.values[parameter], try golden("\(prefix).updated.\(parameter.name)"), parameter.name)
    }
  }

  /// The golden's parameters, and what follows from them.
  private func state(of quantizer: any Quantizer, _ prefix: String) throws -> ModelState {
    var state = ModelState(initial: quantizer.parameters, seed: 1)
    for parameter in quantizer.parameters where golden.has("\(prefix).parameters.\(parameter.name)")
    {
      state.values[parameter] = try golden("\(prefix).parameters.\(parameter.name)")
    }
    // The products of SimVQ.
    if quantizer is SimVQQuantizer {
      try quantizer.prepare(&state, seed: 1) { _ in preconditionFailure("there is no k-means") }
    }
    return state
  }
}

/// The results of a batch of two images.
private struct Batch {
  private(set) var codes: [Int32] = []
  private(set) var output: Tensor
  private(set) var terms: [Float] = []
  /// Of the vectors.
  private(set) var gradient: Tensor
  /// Of the parameters, by name.
  private(set) var gradients: [String: Tensor] = [:]
  private(set) var statistics: [Tensor] = []

  init(
    _ quantizer: any Quantizer, _ values: ParameterValues, _ golden: Golden, shards: Int
  ) throws {
    let (z, outputGradient) = (try golden("z"), try golden("output_gradient"))
    let count = z.shape[0] / shards
    var (outputs, ofVectors): ([Float], [Float]) = ([], [])
    for first in stride(from: 0, to: z.shape[0], by: count) {
      let images = first..<(first + count)
      func quantize() -> (Tape, Variable, Quantized) {
        let tape = Tape(values)
        let leaf = tape.leaf(z.items(images))
        let shard = ShardContext(validCount: count, batchSize: z.shape[0], firstImage: first)
        return (tape, leaf, quantizer.quantize(leaf, in: shard))
      }
      let (tape, leaf, result) = quantize()
      codes += result.codes.indices
      outputs += result.output.value.elements
      terms = Self.sum(terms, result.terms.map(\.value.value.scalar), +)
      statistics = Self.sum(statistics, result.statistics, +)
      let ofOutput = tape.backward(from: result.output, gradient: outputGradient.items(images))
      #expect(ofOutput.byName.isEmpty, "the gradient of the output moves no parameter")

      // A tape computes gradients once.
      let (otherTape, otherLeaf, other) = quantize()
      let weighted = other.terms.map { $0.weight * $0.value }
      let loss = weighted.dropFirst().reduce(weighted[0]) { $0 + $1 }
      let ofTerms = otherTape.backward(from: loss)
      ofVectors += (try #require(ofOutput[leaf]) + #require(ofTerms[otherLeaf])).elements
      gradients.merge(ofTerms.byName) { $0 + $1 }
    }
    (output, gradient) = (Tensor(z.shape, outputs), Tensor(z.shape, ofVectors))
  }

  /// Adds the results of a shard to those of the shards before it.
  private static func sum<Value>(
    _ earlier: [Value], _ values: [Value], _ add: (Value, Value) -> Value
  ) -> [Value] {
    earlier.isEmpty ? values : zip(earlier, values).map(add)
  }
}
