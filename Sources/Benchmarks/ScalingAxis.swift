import Configurations

/// A field of the configuration whose value is changed to see how the cost depends on it.
package struct ScalingAxis: Sendable {
  package let title: String
  package let field: String
  /// Multiples of the base value.
  let factors: [Double]
  /// 2 if the cost is compared with the square of the value.
  let power: Int

  private init(_ title: String, _ field: String, _ factors: [Double], power: Int = 1) {
    (self.title, self.field, self.factors, self.power) = (title, field, factors, power)
  }

  package static let all = [
    ScalingAxis("batch size", "training.batch_size", [0.25, 0.5, 2, 4, 8]),
    ScalingAxis("pixels of an image", "data.side", [0.5, 2, 4], power: 2),
    ScalingAxis("codewords, K", "quantizer.codebook_size", [0.125, 0.5, 4, 16]),
    ScalingAxis("width of a codeword, D", "quantizer.dimension", [0.25, 0.5, 2, 4]),
    ScalingAxis("hidden channels", "model.hidden", [0.25, 0.5, 2]),
  ]

  /// The value of the field; nil if the configuration's kinds do not have it.
  func value(in configuration: Configuration) -> Int? {
    guard
      case .integer(let value)? = Configuration.fields.first(where: { $0.name == self.field })?.get(
        configuration)
    else { return nil }
    return value
  }

  /// The base configuration with other values of the field, without those that it cannot have.
  func variants(of base: Configuration) -> [(value: Int, configuration: Configuration)] {
    guard let field = Configuration.fields.first(where: { $0.name == self.field }),
      let value = value(in: base)
    else { return [] }
    var values: Set<Int> = []
    for factor in factors {
      // The hidden channels are even.
      let changed = 2 * Int((Double(value) * factor / 2).rounded())
      if changed != value, field.domain.contains(.integer(changed)) { values.insert(changed) }
    }
    return values.sorted().compactMap { value in
      var configuration = base
      field.set(.integer(value), &configuration)
      let isValid =
        configuration.model.fault == nil && configuration.quantizer.fault == nil
        && configuration.data.fault == nil && configuration.model.takes(configuration.data.image)
      return isValid ? (value, configuration) : nil
    }
  }
}
