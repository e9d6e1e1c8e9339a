import Training
import VectorQuantization

/// Shows how a training run goes on: one line that is rewritten on a terminal, else a plain line every
/// so many steps with the means since the line before. The numbers of several codebooks stand in the
/// order in which the run was announced, with plus signs between.
final class TrainProgress {
  private let steps: Int
  private let batchSize: Int
  /// Of each codebook.
  private let codewords: [Int]
  private let logEvery: Int
  private let isInteractive = Terminal.isInteractive
  private let clock = ContinuousClock()

  /// Sums since the last plain line.
  private var window = Window()
  private var shown: ContinuousClock.Instant
  /// Seconds a step, smoothed; nil before the first.
  private var pace: Double?

  private struct Window {
    var count = 0.0
    var loss = 0.0
    var nmse = 0.0
    var codebookLoss: Double?
    var commitmentLoss = 0.0
    /// Of each codebook.
    var perplexity: [Double] = []
    var used: [Int] = []
    var seconds = 0.0
  }

  init(_ experiment: Experiment) {
    let training = experiment.configuration.training
    steps = training.steps
    batchSize = training.batchSize
    logEvery = training.logEvery
    codewords = experiment.model.quantizers.map(\.codewords)
    shown = clock.now
  }

  func show(_ event: TrainingRun.Event) {
    switch event {
    case .step(let step, let metrics, let seconds):
      add(metrics, seconds: seconds)
      if isInteractive {
        if clock.now - shown > .milliseconds(100) || step == steps {
          shown = clock.now
          Terminal.rewrite(line(step, fitting: Terminal.width - 1))
        }
        if step % logEvery == 0 { window = Window() }
      } else if step % logEvery == 0 || step == steps {
        Terminal.note(line(step))
        window = Window()
      }
    case .saved(let step): note("saved at step \(step), as SIGUSR1 asked")
    case .validation(let step, let evaluation, let isBest):
      note(
        "step \(step)/\(steps)  validation: nmse \(fixed(evaluation.nmse, 4))  "
          + "psnr \(fixed(evaluation.psnr, 2)) dB  "
          + "perplexity \(row(evaluation.usage.map { fixed($0.perplexity, 1) }))  "
          + "codes \(codes(evaluation.usage.map(\.used)))" + (isBest ? "  (best so far)" : ""))
    }
  }

  /// A line that stays.
  func note(_ line: String) {
    if isInteractive { Terminal.rewrite("") }
    Terminal.note(line)
  }

  private func add(_ metrics: StepMetrics, seconds: Double) {
    window.count += 1
    window.loss += metrics.loss
    window.nmse += metrics.nmse
    if let loss = metrics.codebookLoss { window.codebookLoss = (window.codebookLoss ?? 0) + loss }
    window.commitmentLoss += metrics.commitmentLoss
    let perplexity = metrics.usage.map(\.perplexity)
    window.perplexity =
      window.perplexity.isEmpty ? perplexity : zip(window.perplexity, perplexity).map(+)
    window.used = metrics.usage.map(\.used)
    window.seconds += seconds
    pace = pace.map { 0.95 * $0 + 0.05 * seconds } ?? seconds
  }

  private func line(_ step: Int) -> String {
    let n = max(window.count, 1)
    var parts = ["step \(step)/\(steps)", "loss \(short(window.loss / n, 4))"]
    parts.append("nmse \(short(window.nmse / n, 4))")
    if let loss = window.codebookLoss { parts.append("codebook \(short(loss / n, 4))") }
    parts.append("commitment \(short(window.commitmentLoss / n, 4))")
    parts.append("perplexity \(row(window.perplexity.map { fixed($0 / n, 1) }))")
    parts.append("codes \(codes(window.used))")
    parts.append("\(fixed(rate, 0)) images/s")
    parts.append("ETA \(clockTime(remaining(step)))")
    return parts.joined(separator: "  ")
  }

  /// The same numbers in fewer columns where the whole line does not fit.
  private func line(_ step: Int, fitting width: Int) -> String {
    let whole = line(step)
    if whole.count <= width { return whole }
    let n = max(window.count, 1)
    let quantizer = [window.codebookLoss, window.commitmentLoss].compactMap(\.self)
      .map { short($0 / n, 2) }.joined(separator: "+")
    return [
      "\(step)/\(steps)", "loss \(short(window.loss / n, 3))",
      "nmse \(short(window.nmse / n, 3))", "vq \(quantizer)",
      "ppl \(row(window.perplexity.map { fixed($0 / n, 0) }))", codes(window.used),
      "\(fixed(rate, 0))/s", clockTime(remaining(step)),
    ].joined(separator: " ")
  }

  /// A number of each codebook.
  private func row(_ numbers: [String]) -> String { numbers.joined(separator: "+") }

  /// How many codes of each codebook were used, and of how many.
  private func codes(_ used: [Int]) -> String { row(zip(used, codewords).map { "\($0)/\($1)" }) }

  /// Images a second.
  private var rate: Double {
    max(window.count, 1) * Double(batchSize) / max(window.seconds, 1e-9)
  }

  private func remaining(_ step: Int) -> Double { Double(steps - step) * (pace ?? 0) }

  /// A number with so many decimals, or in scientific notation where it is large.
  private func short(_ value: Double, _ decimals: Int) -> String {
    abs(value) < 1000 ? fixed(value, decimals) : scientific(value)
  }
}
