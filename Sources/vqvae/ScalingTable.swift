import Benchmarks
import TerminalText

/// A report of `bench --scaling` as a table.
struct ScalingTable {
  let lines: [String]

  init(_ report: ScalingReport) {
    lines =
      report.axes.flatMap { [Self.heading($0.title)] + $0.rows.map(Self.line) + [""] }
      + Self.legend(report)
  }

  private static func heading(_ title: String) -> String {
    cells(
      title,
      [
        "step", "per image", "encoding", "per image", "memory", "work", "step ^", "encoding ^",
        "memory ^", "work ^",
      ])
  }

  private static func line(_ row: ScalingReport.Row) -> String {
    let cost = row.cost
    let exponents = row.exponents
    func exponent(_ value: Double?) -> String {
      // Not -0.00.
      value.map { fixed(abs($0) < 0.005 ? 0 : $0, 2) } ?? "base"
    }
    return cells(
      "\(row.size)",
      [
        "\(fixed(cost.secondsPerStep.median * 1e3, 1)) ms",
        "\(fixed(cost.secondsPerStepAndImage * 1e6, 0)) µs",
        "\(fixed(cost.secondsPerEncode.median * 1e3, 1)) ms",
        "\(fixed(cost.secondsPerEncodeAndImage * 1e6, 0)) µs",
        "\(fixed(Double(cost.memoryBytes) * 1e-6, 1)) MB",
        "\(fixed(Double(cost.multiplyAddsPerStep) * 1e-9, 2)) G",
        exponent(exponents?.step), exponent(exponents?.encode), exponent(exponents?.memory),
        exponent(exponents?.multiplyAdds),
      ])
  }

  private static func legend(_ report: ScalingReport) -> [String] {
    let rounds =
      "Medians of \(counted(report.rounds, "round")) on \(counted(report.threads, "thread")), all "
      + "configurations in turns; the rounds differ by \(fixed(100 * report.spread, 0)) %."
    let verified = report.verification.map {
      [
        "Verified for the base: \(counted($0.convolutions, "convolution")), "
          + "\(counted($0.vectors, "nearest codeword"))."
      ]
    }
    return [
      "base: \(report.base)",
      "Every row is the base configuration with one value changed. work: multiply-adds of a step by",
      "definition. memory: weights, packed filters, moments, gradients and activations. ^: the exponent e,",
      "if a cost is (value / base value)^e times that of the base: 1 is linear, 0 independent. A step with",
      "the exponent of its work is linear in the work.",
      rounds,
    ] + (verified ?? [])
  }

  /// A line of a label and numbers, aligned to the right.
  private static func cells(_ label: String, _ cells: [String]) -> String {
    func right(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(1, width - text.count)) + text
    }
    return label + String(repeating: " ", count: max(0, 22 - label.count))
      + cells.enumerated().map { right($1, $0 < 6 ? 11 : 10) }.joined()
  }
}
