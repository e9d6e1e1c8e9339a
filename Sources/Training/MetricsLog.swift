import Files
import FoundationEssentials
import NN

/// The metrics of a run as lines of JSON.
///
/// A line without `split` is a training step's. With several codebooks, `codebooks` has the perplexity and
/// the codes used of each, and `codesUsed` is their sum; with several latents, `latents` has the scale and
/// the commitment loss of each. `states` has the bad states that last (see ``CodebookWatch``), if any.
final class MetricsLog {
  /// A value of a line.
  private enum Value: Encodable {
    case integer(Int)
    case number(Double)
    case text(String)
    case texts([String])
    case objects([[String: Value]])

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .integer(let value): try container.encode(value)
      case .number(let value): try container.encode(value)
      case .text(let value): try container.encode(value)
      case .texts(let value): try container.encode(value)
      case .objects(let value): try container.encode(value)
      }
    }
  }

  private let file: AppendFile
  /// The metric that every line of a validation has.
  private let criterion: String
  private let encoder = JSONEncoder()
  private var isReplacementNoted = false

  init(_ path: String, criterion: String) throws {
    file = try AppendFile(path)
    self.criterion = criterion
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  /// Makes the log agree with a saved state: removes later lines and damaged ones, and keeps lines that other
  /// programs wrote.
  ///
  /// - Parameter watch: observes the lines that are kept.
  /// - Returns: notes for the user, such as steps without a line.
  func repair(toMatch state: TrainingState, _ watch: inout CodebookWatch) throws -> [String] {
    var notes = file.movedAside.map { ["\(file.path) could not be used and is now \($0)"] } ?? []
    let decoder = JSONDecoder()
    decoder.userInfo[LoggedLine.criterion] = criterion
    var gaps = StepGaps()
    try file.filter { bytes, _ in
      switch LoggedLine(bytes, decoder) {
      case .foreign: return true
      case .damaged: return false
      case .validation(let seen):
        let isKept = seen.step <= state.step && seen.step <= state.validatedStep ?? -1
        if isKept { _ = watch.observe(seen) }
        return isKept
      case .step(let seen):
        guard seen.step <= state.step else { return false }
        gaps.add(seen.step)
        _ = watch.observe(seen)
        return true
      }
    }
    gaps.end(at: state.step)
    if let missing = gaps.description {
      notes.append("\(file.path) has no line for \(missing)")
    }
    return notes
  }

  /// Appends a line.
  ///
  /// - Parameters:
  ///   - split: the split of an evaluation, or nil for a training step.
  ///   - watch: has observed the measurements.
  func append(
    _ measurements: Measurements, step: Int, split: String? = nil, _ watch: CodebookWatch
  ) throws {
    var line = Dictionary(
      uniqueKeysWithValues: measurements.metrics.map { ($0.name, Value.number($0.value)) })
    line["step"] = .integer(step)
    line["split"] = split.map { .text($0) }
    let usage = measurements.usage
    if !usage.isEmpty { line["codesUsed"] = .integer(usage.reduce(0) { $0 + $1.used }) }
    if usage.count == 1 {
      line["perplexity"] = .number(usage[0].perplexity)
    } else if usage.count > 1 {
      line["codebooks"] = .objects(
        usage.map {
          [
            "name": .text($0.name), "perplexity": .number($0.perplexity),
            "codesUsed": .integer($0.used),
          ]
        })
    }
    let scales = measurements.scales
    if scales.count == 1 {
      line["scaleRatio"] = scales[0].ratio.map { .number($0) }
    } else if scales.count > 1 {
      line["latents"] = .objects(
        scales.map {
          var object = ["name": Value.text($0.name)]
          object["scaleRatio"] = $0.ratio.map { .number($0) }
          object["commitmentLoss"] = $0.commitment.map { .number($0) }
          return object
        })
    }
    let states = watch.states
    if !states.isEmpty { line["states"] = .texts(states) }
    file.append(line: String(decoding: try encoder.encode(line), as: UTF8.self))
  }

  /// A note about what happened to the file since the last call, or nil.
  func takeNote() -> String? {
    guard file.wasReplaced, !isReplacementNoted else { return nil }
    isReplacementNoted = true
    return
      "\(file.path) was deleted or replaced; a new one has been begun, without the earlier lines"
  }

  /// Writes the lines to the file.
  func flush() throws { try file.flush() }

  /// Synchronizes the lines to the disk.
  func synchronize() throws {
    try file.flush()
    try file.synchronize()
  }
}

/// The kind of a line in a log that may have been damaged, or edited by others.
private enum LoggedLine {
  case step(CodebookWatch.Observation)
  case validation(CodebookWatch.Observation)
  /// Another program's.
  case foreign
  /// Half a line, or bytes that are not text.
  case damaged

  /// The key of a decoder's ``Probe`` for the metric that a validation's line has.
  static let criterion = CodingUserInfoKey(rawValue: "criterion")!

  /// What distinguishes our lines from others: a step, and a loss or the criterion of a validation; and what
  /// is watched, which lines of earlier versions may lack.
  private struct Probe: Decodable {
    struct Codebook: Decodable {
      let name: String
      let perplexity: Double
      let codesUsed: Int
    }

    struct Latent: Decodable {
      let name: String
      let scaleRatio: Double?
      let commitmentLoss: Double?
    }

    let step: Int
    let split: String?
    let observation: CodebookWatch.Observation

    init(from decoder: any Decoder) throws {
      let line = try decoder.container(keyedBy: JSONKey.self)
      step = try line.decode(Int.self, forKey: JSONKey("step"))
      split = try line.decodeIfPresent(String.self, forKey: JSONKey("split"))
      let metric = split == nil ? "loss" : decoder.userInfo[LoggedLine.criterion] as? String ?? ""
      _ = try line.decode(Double.self, forKey: JSONKey(metric))
      observation = Self.observation(line, step: step, isValidation: split != nil)
    }

    /// What ``MetricsLog/append(_:step:split:_:)`` had, as the watch saw it.
    private static func observation(
      _ line: KeyedDecodingContainer<JSONKey>, step: Int, isValidation: Bool
    ) -> CodebookWatch.Observation {
      func value<Value: Decodable>(_ name: String, _: Value.Type) -> Value? {
        try? line.decode(Value.self, forKey: JSONKey(name))
      }
      var observation = CodebookWatch.Observation(step: step, isValidation: isValidation)
      let latents = value("latents", [Latent].self)
      if let codebooks = value("codebooks", [Codebook].self) {
        observation.codebooks = codebooks.map { codebook in
          .init(
            perplexity: codebook.perplexity, used: codebook.codesUsed,
            ratio: latents?.first { $0.name == codebook.name }?.scaleRatio)
        }
      } else if let perplexity = value("perplexity", Double.self),
        let used = value("codesUsed", Int.self)
      {
        observation.codebooks = [
          .init(perplexity: perplexity, used: used, ratio: value("scaleRatio", Double.self))
        ]
      }
      observation.latents =
        latents?.map { .init($0.name, commitment: $0.commitmentLoss) }
        ?? [.init(commitment: value("commitmentLoss", Double.self))]
      return observation
    }
  }

  private struct AnyObject: Decodable {}

  init(_ bytes: [UInt8], _ decoder: JSONDecoder) {
    let data = Data(bytes)
    if let probe = try? decoder.decode(Probe.self, from: data) {
      self = probe.split == nil ? .step(probe.observation) : .validation(probe.observation)
    } else if (try? decoder.decode(AnyObject.self, from: data)) != nil {
      self = .foreign
    } else {
      // A line of ours that does not parse was torn. Other text without a newline may be torn as well, but
      // belongs to another program.
      let isOurs = bytes.first == UInt8(ascii: "{")
      let isText = !bytes.contains(0) && String(validating: bytes, as: UTF8.self) != nil
      self = isText && !isOurs ? .foreign : .damaged
    }
  }
}

/// The steps between 1 and the last for which a log has no line.
private struct StepGaps {
  private var last = 0
  private var count = 0
  /// The first few ranges.
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

  /// Such as `steps 3–7, 12 and 4 more ranges`, or nil if there is no gap.
  var description: String? {
    guard count > 0 else { return nil }
    let more = count > shown.count ? " and \(count - shown.count) more ranges" : ""
    let isOne = count == 1 && !shown[0].contains("–")
    return (isOne ? "step " : "steps ") + shown.joined(separator: ", ") + more
  }
}
