/// A number of a training step or of an evaluation.
///
/// It is named where it is computed; the log and the terminal take it from there.
package struct Metric: Sendable {
  /// Its key in `metrics.jsonl`.
  package let name: String
  package let value: Double
  /// What the terminal calls it; nil if it does not show it.
  package let label: String?
  /// Whether it is a term of a quantizer, of which a narrow terminal shows the values alone.
  package let isTerm: Bool

  package init(_ name: String, _ value: Double, label: String? = nil, isTerm: Bool = false) {
    self.name = name
    self.value = value
    self.label = label
    self.isTerm = isTerm
  }
}
