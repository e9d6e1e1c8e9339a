import Files
import FoundationEssentials
import VectorQuantization

/// The metrics of a run as lines of JSON.
///
/// A line without `split` is a training step's; numbers of several codebooks are added for
/// `codesUsed`, and the first one's for `perplexity`.
final class MetricsLog {
  private struct Line: Codable {
    var step: Int
    var split: String?
    var loss: Double?
    var mse: Double?
    var nmse: Double
    var codebookLoss: Double?
    var commitmentLoss: Double?
    var psnr: Double?
    var perplexity: Double
    var codesUsed: Int
    var learningRate: Double?
    var gradientNorm: Double?
    var imagesPerSecond: Double?
  }

  /// A line has some 250 bytes, and a run at most a few million steps.
  private static let maximumSize = 4 << 30

  private let file: AppendFile
  private let encoder = JSONEncoder()

  init(_ path: String) throws {
    file = try AppendFile(path)
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  /// Drops what was logged after a state was saved.
  func cut(after state: TrainingState) throws {
    let decoder = JSONDecoder()
    try file.filter(limit: Self.maximumSize) { text in
      guard let line = try? decoder.decode(Line.self, from: Data(text.utf8)) else { return false }
      let isValidated = line.split == nil || line.step <= state.validatedStep ?? -1
      return line.step <= state.step && isValidated
    }
  }

  func append(_ metrics: StepMetrics, step: Int, imagesPerSecond: Double) throws {
    try append(
      Line(
        step: step, loss: metrics.loss, nmse: metrics.nmse, codebookLoss: metrics.codebookLoss,
        commitmentLoss: metrics.commitmentLoss, perplexity: metrics.usage[0].perplexity,
        codesUsed: metrics.usage.reduce(0) { $0 + $1.used }, learningRate: metrics.learningRate,
        gradientNorm: metrics.gradientNorm, imagesPerSecond: imagesPerSecond))
  }

  func append(_ evaluation: Evaluation, split: String, step: Int) throws {
    try append(
      Line(
        step: step, split: split, mse: evaluation.mse, nmse: evaluation.nmse,
        psnr: evaluation.psnr, perplexity: evaluation.usage[0].perplexity,
        codesUsed: evaluation.usage.reduce(0) { $0 + $1.used }))
  }

  func flush() throws { try file.flush() }

  private func append(_ line: Line) throws {
    file.append(line: String(decoding: try encoder.encode(line), as: UTF8.self))
  }
}
