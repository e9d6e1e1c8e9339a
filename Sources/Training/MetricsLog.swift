import Files
import FoundationEssentials
import VectorQuantization

/// The metrics of a run as lines of JSON.
///
/// A line without `split` is a training step's. Of several codebooks each has its perplexity and its
/// codes in `codebooks`, and `codesUsed` is their sum.
final class MetricsLog {
  /// A value of a line.
  private enum Value: Encodable {
    case integer(Int)
    case number(Double)
    case text(String)
    case codebooks([Codebook])

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .integer(let value): try container.encode(value)
      case .number(let value): try container.encode(value)
      case .text(let value): try container.encode(value)
      case .codebooks(let value): try container.encode(value)
      }
    }
  }

  private struct Codebook: Encodable {
    var name: String
    var perplexity: Double
    var codesUsed: Int
  }

  private let file: AppendFile
  /// The names of the quantizers.
  private let names: [String]
  private let encoder = JSONEncoder()
  private var isReplacementNoted = false

  init(_ path: String, of model: VQVAE) throws {
    file = try AppendFile(path)
    names = model.architecture.latents.map(\.name)
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  /// Brings the log to a saved state: drops what was logged after it and what is damaged, and keeps the
  /// lines that others wrote.
  ///
  /// - Returns: what is worth saying about the log, such as steps without a line.
  func repair(toMatch state: TrainingState) throws -> [String] {
    var notes = file.movedAside.map { ["\(file.path) could not be used and is now \($0)"] } ?? []
    let decoder = JSONDecoder()
    var gaps = StepGaps()
    try file.filter { bytes, isComplete in
      switch LoggedLine(bytes, isComplete: isComplete, decoder) {
      case .foreign: return true
      case .damaged: return false
      case .validation(let step):
        return step <= state.step && step <= state.validatedStep ?? -1
      case .step(let step):
        guard step <= state.step else { return false }
        gaps.add(step)
        return true
      }
    }
    gaps.end(at: state.step)
    if let missing = gaps.description {
      notes.append("\(file.path) has no line for \(missing)")
    }
    return notes
  }

  func append(_ metrics: StepMetrics, step: Int, imagesPerSecond: Double) throws {
    let speed = Metric("imagesPerSecond", imagesPerSecond)
    try append(metrics.metrics + [speed], metrics.usage, step: step, split: nil)
  }

  func append(_ evaluation: Evaluation, split: String, step: Int) throws {
    try append(evaluation.metrics, evaluation.usage, step: step, split: split)
  }

  private func append(
    _ metrics: [Metric], _ usage: [CodebookUsage], step: Int, split: String?
  ) throws {
    var line = Dictionary(uniqueKeysWithValues: metrics.map { ($0.name, Value.number($0.value)) })
    line["step"] = .integer(step)
    line["split"] = split.map { .text($0) }
    line["codesUsed"] = .integer(usage.reduce(0) { $0 + $1.used })
    if usage.count == 1 {
      line["perplexity"] = .number(usage[0].perplexity)
    } else {
      line["codebooks"] = .codebooks(
        zip(names, usage).map {
          Codebook(name: $0, perplexity: $1.perplexity, codesUsed: $1.used)
        })
    }
    file.append(line: String(decoding: try encoder.encode(line), as: UTF8.self))
  }

  /// What has happened to the file since the last call, or nil.
  func takeNote() -> String? {
    guard file.wasReplaced, !isReplacementNoted else { return nil }
    isReplacementNoted = true
    return
      "\(file.path) was deleted or replaced; a new one has been begun, without the earlier lines"
  }

  /// Hands the lines to the system.
  func flush() throws { try file.flush() }

  /// Brings the lines to the disk.
  func synchronize() throws {
    try file.flush()
    try file.synchronize()
  }
}

/// What a line of a log is that may have been damaged, or edited by others.
private enum LoggedLine {
  case step(Int)
  case validation(Int)
  /// Somebody else's.
  case foreign
  /// Half a line, or bytes that are no text.
  case damaged

  /// What tells our lines from others.
  private struct Probe: Decodable {
    let step: Int
    let nmse: Double
    let split: String?
  }

  private struct AnyObject: Decodable {}

  init(_ bytes: [UInt8], isComplete: Bool, _ decoder: JSONDecoder) {
    let data = Data(bytes)
    if let probe = try? decoder.decode(Probe.self, from: data) {
      self = probe.split == nil ? .step(probe.step) : .validation(probe.step)
    } else if (try? decoder.decode(AnyObject.self, from: data)) != nil {
      self = .foreign
    } else {
      // A line of ours that does not parse was torn; other text without an end may have been, too, but is
      // not ours to judge.
      let isOurs = bytes.first == UInt8(ascii: "{")
      let isText = !bytes.contains(0) && String(validating: bytes, as: UTF8.self) != nil
      self = isText && !isOurs ? .foreign : .damaged
    }
  }
}

/// Steps between 1 and the last that a log has no line for.
private struct StepGaps {
  private var last = 0
  private var count = 0
  /// The first few.
  private var shown: [String] = []

  mutating func add(_ step: Int) {
    if step > last + 1 { note(last + 1, step - 1) }
    last = max(last, step)
  }

  mutating func end(at step: Int) {
    if step > last { note(last + 1, step) }
  }

  private mutating func note(_ first: Int, _ end: Int) {
    count += 1
    if count <= 5 { shown.append(first == end ? "\(first)" : "\(first)–\(end)") }
  }

  /// Such as `steps 3–7, 12 and 4 more ranges`; nil without a gap.
  var description: String? {
    guard count > 0 else { return nil }
    let more = count > shown.count ? " and \(count - shown.count) more ranges" : ""
    let isOne = count == 1 && !shown[0].contains("–")
    return (isOne ? "step " : "steps ") + shown.joined(separator: ", ") + more
  }
}
