import Autograd
import NN
import Options
import Tensors

/// Several codebooks at a position, each for a part of the vector, `grouped`: product quantization (Jégou et
/// al. 2011). The paper's CIFAR-10 model had several codes at a position, according to its authors
/// (google-deepmind/sonnet#98).
///
///     z = [z₁, …, z_G]        output = [e₁, …, e_G]        each zᵢ and eᵢ of width D / G
///
/// Codes of G·log₂ K bits then cost a search among K codewords for each part, not among K^G.
///
/// Each part has the loss terms of its quantizer, divided by G, so that they are means over the whole vector.
package struct GroupedQuantizer: Quantizer {
  package let parts: [any CodebookQuantizer]

  package init(_ parts: [any CodebookQuantizer]) {
    precondition(!parts.isEmpty, "there is at least one group")
    self.parts = parts
  }

  package var parameters: [Parameter] { parts.flatMap(\.parameters) }
  package var alphabet: [Int] { parts.flatMap(\.alphabet) }
  package var dimension: Int { parts.reduce(0) { $0 + $1.dimension } }

  private func columns(of i: Int) -> Range<Int> {
    let width = parts[0].dimension
    return (i * width)..<((i + 1) * width)
  }

  package func quantize(_ z: Variable, in shard: ShardContext) -> Quantized {
    let results = parts.enumerated().map { i, part in
      part.quantize(z.columns(columns(of: i)), in: shard)
    }
    let share = 1 / Float(parts.count)
    return Quantized(
      output: concatenate(results.map(\.output)), codes: Codes(slots: results.map(\.codes)),
      terms: results.flatMap(\.terms).map {
        LossTerm($0.name, share * $0.value, weight: $0.weight)
      }, statistics: results.flatMap(\.statistics))
  }

  package func codes(of z: Tensor, _ values: ParameterValues) -> Codes {
    Codes(
      slots: parts.enumerated().map { i, part in
        part.codes(of: z.columns(columns(of: i)), values)
      })
  }

  package func codewords(_ codes: Codes, on tape: Tape) -> Variable {
    concatenate(parts.enumerated().map { i, part in part.codewords(codes.slot(i), on: tape) })
  }

  package var statisticsShapes: [Shape] { parts.flatMap(\.statisticsShapes) }

  package func prepare(
    _ state: inout ModelState, seed: UInt64, sample: (Int) throws -> Tensor
  ) throws {
    for (i, part) in parts.enumerated() {
      try part.prepare(&state, seed: seed) { try sample($0).columns(columns(of: i)) }
    }
  }

  package func update(_ state: inout ModelState, with statistics: [Tensor], step: Int) {
    for (part, own) in zip(parts, (parts as [any Quantizer]).statistics(in: statistics)) {
      part.update(&state, with: own, step: step)
    }
  }

  package func adoptCodebook(_ state: inout ModelState) {
    for part in parts { part.adoptCodebook(&state) }
  }
}

/// ``GroupedQuantizer`` in a configuration.
package enum GroupedKind: QuantizerKind {
  package struct Options: OuterQuantizerOptions {
    package var inner = InnerOptions()
    /// G.
    package var groups = 2

    package init() {}
  }

  package static let name = "grouped"
  package static let fields: [Field<Options>] =
    Options.innerFields + [
      .integer("groups", \.groups, 1...256, "parts of a vector with a codebook each, G")
    ]

  package static func fault(in options: Options) -> FieldFault? {
    let width = options.inner.codebook.dimension
    guard width.isMultiple(of: options.groups) else {
      return FieldFault(
        ["groups", "dimension"],
        "dimension has to be a multiple of groups; found dimension \(width) and groups \(options.groups)"
      )
    }
    return Options.innerFault(in: options)
  }

  package static func dimension(_ options: Options) -> Int { options.inner.codebook.dimension }

  package static func complete(_ options: inout Options, from defaults: CodebookDefaults) {
    options.inner.complete(from: defaults)
  }

  package static func quantizer(_ name: String, _ options: Options) -> any Quantizer {
    var inner = options.inner
    inner.codebook.dimension /= options.groups
    return GroupedQuantizer((0..<options.groups).map { inner.quantizer("\(name).\($0)") })
  }
}
