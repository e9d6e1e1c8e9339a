import Configurations
import Options

/// Which fields of a configuration help against a finding. A field is named only if the configuration has it:
/// what a kind of quantizer does not have is no advice.
struct CodebookAdvice {
  private let configuration: Configuration

  init(_ configuration: Configuration) { self.configuration = configuration }

  /// A sentence for the user.
  func text(against name: CodebookFinding.Name) -> String {
    let fields = fields(against: name)
    guard let last = fields.last else { return "docs/troubleshooting.md says more." }
    let list = fields.count == 1 ? last : fields.dropLast().joined(separator: ", ") + " or " + last
    return "In another run, \(list) may help; docs/troubleshooting.md has examples."
  }

  /// The fields, the ones that help most often first.
  func fields(against name: CodebookFinding.Name) -> [String] {
    switch name {
    case .collapsed:
      [
        setting("quantizer.restart_every"), narrow, "a lower training.learning_rate", averages,
        lowering("quantizer.dimension", above: 16),
      ].compactMap(\.self)
    case .explodingCommitment:
      [
        "a lower training.learning_rate", raising("quantizer.commitment", below: 1),
      ].compactMap(\.self)
    case .deadHalf:
      [
        setting("quantizer.restart_every"), narrow, averages,
        lowering("quantizer.dimension", above: 16),
        lowering("quantizer.codebook_size", above: 2),
      ].compactMap(\.self)
    }
  }

  /// Moving averages instead of a codebook loss, for a quantizer that learns its codewords.
  private var averages: String? {
    field("quantizer.init") == nil ? nil : choosing("quantizer.kind", "ema")
  }

  /// Codewords that start where the vectors are: at vectors, or near the origin instead of far from it.
  private var narrow: String? {
    if let start = choosing("quantizer.init", "kmeans") { return start }
    guard let value = field("quantizer.init")?.get(configuration),
      value == .choice("normal") || value == .choice("unit")
    else { return nil }
    return choosing("quantizer.init", "uniform")
  }

  /// A choice that the field offers and that is not the present one.
  private func choosing(_ name: String, _ choice: String) -> String? {
    guard let field = field(name), field.domain.contains(.choice(choice)),
      field.get(configuration) != .choice(choice)
    else { return nil }
    return "\(name)=\(choice)"
  }

  /// A field that is not set, or zero.
  private func setting(_ name: String) -> String? {
    guard let field = field(name) else { return nil }
    let value = field.get(configuration)
    return value == nil || value == .integer(0) ? name : nil
  }

  private func lowering(_ name: String, above limit: Int) -> String? {
    guard case .integer(let value)? = field(name)?.get(configuration), value > limit else {
      return nil
    }
    return "a smaller \(name)"
  }

  private func raising(_ name: String, below limit: Double) -> String? {
    guard case .number(let value)? = field(name)?.get(configuration), value < limit else {
      return nil
    }
    return "a larger \(name)"
  }

  /// The field, if the kinds of the configuration have it.
  private func field(_ name: String) -> Field<Configuration>? {
    Configuration.fields.first { $0.name == name && $0.belongs(configuration) }
  }
}
