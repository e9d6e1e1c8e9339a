import Autograd
import NN
import Options
import Tensors

extension RandomPurpose {
  package static let stageDropout = RandomPurpose(7)
}

/// Several quantizers one after another, each for what those before it left over, `residual` (Zeghidour et al.
/// 2021, "SoundStream", section III-C; Lee et al. 2022, "Autoregressive Image Generation using Residual
/// Quantization"):
///
///     r₁ = z        rₛ₊₁ = rₛ − sg[eₛ]        output = e₁ + … + e_L
///
/// where eₛ is the codeword of rₛ. The first codes alone give a coarse image, and each further one refines it.
///
/// The gradient of the output passes to z once, not once for each stage. Each stage has the loss terms of its
/// quantizer; they are added.
///
/// With `dropout`, some steps train only the first stages, a number drawn uniformly, so that codes of fewer
/// stages are decoded well too (Défossez et al. 2022, "High Fidelity Neural Audio Compression", section 3.2).
package struct ResidualQuantizer: Quantizer {
  /// One for each stage; all are the same if the codebook is shared.
  package let stages: [any CodebookQuantizer]
  package let isShared: Bool
  /// The probability that a step trains a random number of stages.
  package let dropout: Double
  private let latent: String

  package init(
    _ latent: String, stages: [any CodebookQuantizer], isShared: Bool = false, dropout: Double = 0
  ) {
    precondition(!stages.isEmpty, "there is at least one stage")
    self.latent = latent
    self.stages = stages
    self.isShared = isShared
    self.dropout = dropout
  }

  /// The quantizers with parameters of their own.
  private var owners: [any CodebookQuantizer] { isShared ? [stages[0]] : stages }

  package var parameters: [Parameter] { owners.flatMap(\.parameters) }
  package var alphabet: [Int] { stages.flatMap(\.alphabet) }
  package var dimension: Int { stages[0].dimension }
  private var straightThrough: StraightThrough { stages[0].vectors.straightThrough }

  package func quantize(_ z: Variable, in shard: ShardContext) -> Quantized {
    let active = activeStages(in: shard)
    var rest = z
    var sum: Variable?
    var codes: [Codes] = []
    var terms: [LossTerm] = []
    var statistics: [[Tensor]] = []
    for stage in stages.prefix(active) {
      let result = stage.quantize(rest, in: shard)
      let codeword = stage.codewords(result.codes, on: z.tape)
      sum = sum.map { $0 + codeword } ?? codeword
      rest = rest - codeword
      codes.append(result.codes)
      terms += result.terms
      statistics.append(result.statistics)
    }
    guard let sum else { preconditionFailure("there is at least one stage") }
    return Quantized(
      output: straightThrough.replace(z, by: sum), codes: joined(codes, of: z.value), terms: terms,
      statistics: combined(statistics))
  }

  package func codes(of z: Tensor, _ values: ParameterValues) -> Codes {
    var rest = z
    let codes = stages.map { stage in
      let codes = stage.codes(of: rest, values)
      rest = rest - values[stage.vectors.parameter].rows(at: codes)
      return codes
    }
    return joined(codes, of: z)
  }

  package func codewords(_ codes: Codes, on tape: Tape) -> Variable {
    codewords(codes, stages: stages.count, on: tape)
  }

  /// The sum of the codewords of the first stages.
  ///
  /// - Parameter codes: `[…, L]`.
  package func codewords(_ codes: Codes, stages count: Int, on tape: Tape) -> Variable {
    precondition((1...stages.count).contains(count), "there are \(stages.count) stages")
    let parts = (0..<count).map { stages[$0].codewords(codes.slot($0), on: tape) }
    return parts.dropFirst().reduce(parts[0]) { $0 + $1 }
  }

  /// The codes of the stages next to each other; stages that are left out have no code.
  private func joined(_ codes: [Codes], of z: Tensor) -> Codes {
    let none = Codes(
      Shape(Array(z.shape.extents.dropLast())),
      Array(repeating: Codes.invalid, count: z.shape.rows))
    return Codes(slots: codes + Array(repeating: none, count: stages.count - codes.count))
  }

  // MARK: Training

  /// How many stages a step trains.
  private func activeStages(in shard: ShardContext) -> Int {
    guard dropout > 0, shard.step > 0 else { return stages.count }
    var generator = SeededGenerator(
      seed: shard.seed, purpose: .stageDropout, stream: streamNumber(of: "\(latent) \(shard.step)"))
    guard Double(generator.uniform()) < dropout else { return stages.count }
    return 1 + generator.index(below: stages.count)
  }

  package var statisticsShapes: [Shape] { owners.flatMap(\.statisticsShapes) }

  /// The statistics of the quantizers with parameters of their own: those of each stage, zeros for one that is
  /// left out; or the sum over the stages for a shared codebook.
  private func combined(_ statistics: [[Tensor]]) -> [Tensor] {
    guard isShared else {
      return statistics.flatMap(\.self)
        + stages.dropFirst(statistics.count).flatMap {
          $0.statisticsShapes.map { Tensor(zeros: $0) }
        }
    }
    return statistics.dropFirst().reduce(statistics[0]) { zip($0, $1).map { $0 + $1 } }
  }

  package func prepare(
    _ state: inout ModelState, seed: UInt64, sample: (Int) throws -> Tensor
  ) throws {
    for (i, stage) in owners.enumerated() {
      let values = state.values
      try stage.prepare(&state, seed: seed) { count in
        stages.prefix(i).reduce(try sample(count)) { rest, earlier in
          rest - values[earlier.vectors.parameter].rows(at: earlier.codes(of: rest, values))
        }
      }
    }
  }

  package func update(_ state: inout ModelState, with statistics: [Tensor], step: Int) {
    for (stage, own) in zip(owners, (owners as [any Quantizer]).statistics(in: statistics)) {
      // The averages of a stage that was left out do not change: their step did not happen.
      if let counts = own.first, counts.sum() == 0 { continue }
      stage.update(&state, with: own, step: step)
    }
  }

  package func adoptCodebook(_ state: inout ModelState) {
    for stage in owners { stage.adoptCodebook(&state) }
  }
}

/// ``ResidualQuantizer`` in a configuration.
package enum ResidualKind: QuantizerKind {
  package struct Options: OuterQuantizerOptions {
    package var inner = InnerOptions()
    /// L.
    package var stages = 2
    package var codebooks = StageCodebooks.separate
    package var dropout = 0.0

    package init() {}
  }

  /// Whether the stages have codebooks of their own.
  package enum StageCodebooks: String, CaseIterable, Sendable {
    case separate
    case shared
  }

  package static let name = "residual"
  package static let fields: [Field<Options>] =
    Options.innerFields + [
      .integer("stages", \.stages, 1...32, "quantizers one after another, L"),
      .choice("stage_codebooks", \.codebooks, "one for each stage, or the same for all"),
      .number(
        "stage_dropout", \.dropout, 0..<1,
        "the probability that a step trains only a random number of the first stages"),
    ]

  package static func fault(in options: Options) -> FieldFault? {
    if options.codebooks == .shared, options.inner.codebook.restart.every != nil {
      return FieldFault(
        ["restart_every", "stage_codebooks"],
        "a codebook that stages share is not restarted: a vector of one stage would replace a codeword that "
          + "another needs")
    }
    return Options.innerFault(in: options)
  }

  package static func dimension(_ options: Options) -> Int { options.inner.codebook.dimension }

  package static func complete(_ options: inout Options, from defaults: CodebookDefaults) {
    options.inner.complete(from: defaults)
  }

  package static func quantizer(_ name: String, _ options: Options) -> any Quantizer {
    let isShared = options.codebooks == .shared
    let first = options.inner.quantizer(isShared ? name : "\(name).0")
    let others = (1..<max(options.stages, 1)).map {
      isShared ? first : options.inner.quantizer("\(name).\($0)")
    }
    return ResidualQuantizer(
      name, stages: [first] + others, isShared: isShared, dropout: options.dropout)
  }
}
