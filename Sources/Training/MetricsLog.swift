import Files
import FoundationEssentials
import VectorQuantization

/// The metrics of a run as lines of JSON.
///
/// A line without `split` is a training step's. Of several codebooks each has its perplexity and its
/// codes in `codebooks`, and `codesUsed` is their sum.
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
    var perplexity: Double?
    var codesUsed = 0
    var codebooks: [Codebook]?
    var learningRate: Double?
    var gradientNorm: Double?
    var imagesPerSecond: Double?

    /// Takes the use of one codebook or of several.
    mutating func set(_ usage: [CodebookUsage], names: [String]) {
      codesUsed = usage.reduce(0) { $0 + $1.used }
      if usage.count == 1 {
        perplexity = usage[0].perplexity
      } else {
        codebooks = zip(names, usage).map {
          Codebook(name: $0, perplexity: $1.perplexity, codesUsed: $1.used)
        }
      }
    }
  }

  private struct Codebook: Codable {
    var name: String
    var perplexity: Double
    var codesUsed: Int
  }

  /// A line has some 250 bytes, and a run at most a few million steps.
  private static let maximumSize = 4 << 30

  private let file: AppendFile
  /// The names of the quantizers.
  private let names: [String]
  private let encoder = JSONEncoder()

  init(_ path: String, of model: VQVAE) throws {
    file = try AppendFile(path)
    names = model.architecture.latents.map(\.name)
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
    var line = Line(
      step: step, loss: metrics.loss, nmse: metrics.nmse, codebookLoss: metrics.codebookLoss,
      commitmentLoss: metrics.commitmentLoss, learningRate: metrics.learningRate,
      gradientNorm: metrics.gradientNorm, imagesPerSecond: imagesPerSecond)
    line.set(metrics.usage, names: names)
    try append(line)
  }

  func append(_ evaluation: Evaluation, split: String, step: Int) throws {
    var line = Line(
      step: step, split: split, mse: evaluation.mse, nmse: evaluation.nmse, psnr: evaluation.psnr)
    line.set(evaluation.usage, names: names)
    try append(line)
  }

  func flush() throws { try file.flush() }

  private func append(_ line: Line) throws {
    file.append(line: String(decoding: try encoder.encode(line), as: UTF8.self))
  }
}
