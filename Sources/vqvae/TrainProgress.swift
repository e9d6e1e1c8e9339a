import Configurations
import NN
import TerminalText
import Training

/// Shows the progress of a training run: on a terminal, one line that is rewritten; otherwise, a plain line
/// every `training.log_every` steps with the means since the previous one. The numbers of several codebooks
/// are joined by plus signs, in the order in which `train` has named the codebooks.
final class TrainProgress {
  private let steps: Int
  private let batchSize: Int
  private let logEvery: Int
  private let isInteractive = Terminal.isInteractive
  private let clock = ContinuousClock()

  /// Sums since the last step that is a multiple of `logEvery`.
  private var window = Window()
  private var shown: ContinuousClock.Instant
  /// Seconds per step, smoothed, or nil before the first step.
  private var pace: Double?

  private struct Window {
    var count = 0.0
    /// Sums of the metrics to show.
    var metrics: [(label: String, isTerm: Bool, sum: Double)] = []
    /// The sum of the perplexities of each codebook.
    var perplexity: [Double] = []
    /// The last step's, of each codebook.
    var usage: [CodebookUsage] = []
    var seconds = 0.0
  }

  init(_ training: TrainingOptions) {
    steps = training.steps
    batchSize = training.batchSize
    logEvery = training.logEvery
    shown = clock.now
  }

  func show(_ event: RunEvent) {
    switch event {
    case .step(let step, let measurements, let seconds):
      add(measurements, seconds: seconds)
      if isInteractive {
        if clock.now - shown > .milliseconds(100) || step == steps {
          shown = clock.now
          let fields = fields(step)
          Terminal.rewrite { progressLine(fields, width: $0) }
        }
        if step % logEvery == 0 { window = Window() }
      } else if step % logEvery == 0 || step == steps {
        Terminal.note(fields: fields(step).map(\.long))
        window = Window()
      }
    case .note(let text): note(text)
    case .saved(let step): note("saved at step \(step), as SIGUSR1 asked")
    case .validation(let step, let evaluation, let isBest):
      Terminal.clearLine()
      let metrics = evaluation.measurements.metrics.filter { $0.display == .progress }.map {
        "\($0.label) \(fixed($0.value, min($0.decimals, 4)))"
          + ($0.unit.isEmpty ? "" : " \($0.unit)")
      }
      let usage = evaluation.measurements.usage
      let codes =
        usage.isEmpty
        ? []
        : ["perplexity \(row(usage.map { fixed($0.perplexity, 1) }))", "codes \(codes(usage))"]
      Terminal.note(
        fields: ["step \(step)/\(steps)", "validation: " + (metrics.first ?? "")]
          + metrics.dropFirst() + codes + (isBest ? ["(best so far)"] : []))
    }
  }

  /// Writes a line that is not rewritten.
  func note(_ line: String) {
    Terminal.clearLine()
    Terminal.note(line)
  }

  private func add(_ measurements: Measurements, seconds: Double) {
    window.count += 1
    let shown = measurements.metrics.filter { $0.display == .progress || $0.display == .term }
      .map { (label: $0.label, isTerm: $0.display == .term, sum: $0.value) }
    window.metrics =
      window.metrics.isEmpty
      ? shown : zip(window.metrics, shown).map { ($0.label, $0.isTerm, $0.sum + $1.sum) }
    let perplexity = measurements.usage.map(\.perplexity)
    window.perplexity =
      window.perplexity.isEmpty ? perplexity : zip(window.perplexity, perplexity).map(+)
    window.usage = measurements.usage
    window.seconds += seconds
    pace = pace.map { 0.95 * $0 + 0.05 * seconds } ?? seconds
  }

  /// The parts of a line, in their order.
  private func fields(_ step: Int) -> [ProgressField] {
    let n = max(window.count, 1)
    let means = window.metrics.filter { !$0.isTerm }.map { ($0.label, $0.sum / n) }
    let terms = window.metrics.filter(\.isTerm).map { ($0.label, $0.sum / n) }
    let perplexity = window.perplexity.map { $0 / n }
    let codes = codes(window.usage)
    let (speed, rest) = (fixed(rate, 0), clockTime(remaining(step)))
    let first = [
      ProgressField("step \(step)/\(steps)", short: "\(step)/\(steps)", alone: "\(step)", rank: 0)
    ]
    // The first of the metrics, the loss, is the last to be dropped on a narrow terminal.
    let numbers = means.enumerated().map { i, mean in
      ProgressField(
        "\(mean.0) \(short(mean.1, 4))", short: "\(mean.0) \(short(mean.1, 3))",
        rank: i == 0 ? 1 : 3)
    }
    let quantizers =
      terms.isEmpty
      ? []
      : [
        ProgressField(
          terms.map { "\($0) \(short($1, 4))" }.joined(separator: "  "),
          short: "vq " + terms.map { short($1, 2) }.joined(separator: "+"), rank: 7)
      ]
    let codebooks =
      window.usage.isEmpty
      ? []
      : [
        ProgressField(
          "perplexity \(row(perplexity.map { fixed($0, 1) }))",
          short: "ppl \(row(perplexity.map { fixed($0, 0) }))", rank: 4),
        ProgressField("codes \(codes)", short: codes, rank: 5),
      ]
    return first + numbers + quantizers + codebooks + [
      ProgressField("\(speed) images/s", short: "\(speed)/s", rank: 6),
      ProgressField("ETA \(rest)", short: rest, rank: 2),
    ]
  }

  /// The numbers of all codebooks.
  private func row(_ numbers: [String]) -> String { numbers.joined(separator: "+") }

  /// How many codes of each codebook were used, and of how many.
  private func codes(_ usage: [CodebookUsage]) -> String {
    row(usage.map { "\($0.used)/\($0.counts.count)" })
  }

  /// Images per second.
  private var rate: Double {
    max(window.count, 1) * Double(batchSize) / max(window.seconds, 1e-9)
  }

  private func remaining(_ step: Int) -> Double { Double(steps - step) * (pace ?? 0) }

  /// A number with the given decimals, or in scientific notation from 1000 on.
  private func short(_ value: Double, _ decimals: Int) -> String {
    abs(value) < 1000 ? fixed(value, decimals) : scientific(value)
  }
}
