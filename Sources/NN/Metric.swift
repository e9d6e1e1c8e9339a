/// A number that a training step or an evaluation reports.
///
/// It is declared in one line, where it is computed; log, terminal and JSON read the list that it is in.
package struct Metric: Sendable {
  /// Where it is shown. The log and `--json` have every metric.
  package enum Display: Sendable {
    /// In the log and in JSON only.
    case data
    /// In tables, too.
    case table
    /// In progress lines, too.
    case progress
    /// In progress lines, where the terms of a loss form a group: a narrow terminal shows their values alone.
    case term
  }

  /// The key in `metrics.jsonl` and in JSON, such as `psnrPerImage`.
  package let name: String
  /// What the terminal calls it.
  package let label: String
  /// Such as `dB`, or empty.
  package let unit: String
  /// Decimals in a table.
  package let decimals: Int
  package let display: Display
  private var sum: Double
  private let transform: @Sendable (Double) -> Double

  package var value: Double { transform(sum) }

  /// - Parameters:
  ///   - share: what a shard contributes to the value; the shares of all shards are added up.
  ///   - transform: makes the value of the sum, such as the PSNR of a mean squared error.
  package init(
    _ name: String, _ share: Double, _ display: Display = .data, label: String? = nil,
    unit: String = "", decimals: Int = 4,
    transform: @escaping @Sendable (Double) -> Double = { $0 }
  ) {
    self.name = name
    self.label = label ?? name
    self.unit = unit
    self.decimals = decimals
    self.display = display
    sum = share
    self.transform = transform
  }

  package static func += (a: inout Metric, b: Metric) {
    precondition(a.name == b.name, "\(a.name) and \(b.name) are two metrics")
    a.sum += b.sum
  }
}
