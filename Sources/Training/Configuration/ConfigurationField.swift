import VectorQuantization

/// A field of the configuration: its name in a file, and the way between text and value.
package struct ConfigurationField: Sendable {
  /// The dotted name, such as `training.steps`.
  package let key: String
  /// What a value has to be, in words that follow "expected".
  package let expected: String
  package let meaning: String
  /// Whether a value is a list.
  let isList: Bool
  /// Whether it is a path, in which a leading `~/` is expanded.
  let isPath: Bool
  /// Removes the value; nil if the field must have one.
  let clear: (@Sendable (inout Configuration) -> Void)?
  private let usualScope: Scope

  package enum Scope: Sendable {
    /// Part of what is computed: saved in checkpoints, and fixed for a run.
    case experiment
    /// Where, how fast and how long: may change when a run is resumed.
    case circumstances
  }

  /// The scope under a configuration: the number of steps belongs to the experiment where the learning
  /// rate depends on it.
  package func scope(in configuration: Configuration) -> Scope {
    key == "training.steps" && configuration.training.schedule == .cosine
      ? .experiment : usualScope
  }

  /// Sets the field; false where the text is no valid value.
  let read: @Sendable (ConfigurationValue, inout Configuration) -> Bool
  /// The value as a file has it; nil where there is none.
  package let write: @Sendable (Configuration) -> String?

  /// All fields in the order of the file.
  package static let all: [ConfigurationField] =
    [
      ConfigurationField(
        "seed", "a whole number of at least 0",
        "fixes weights, codebook, order and synthetic images",
        read: { scalar, c in assign(scalar.integer(as: UInt64.self), to: \.seed, of: &c) },
        write: { String($0.seed) }),

      .choice("data.kind", \.data.kind, "where the images come from"),
      .text("data.root", \.data.root, "the folder of the CIFAR-10 batch files", .circumstances),
      .number(
        "data.validation", \.data.validation, 0..<1, "the fraction of training images held out"),
      .integer(
        "data.images", \.data.images, 1...1_000_000, "synthetic images, held-out ones included"),
      .integer(
        "data.side", \.data.side, 8...512, "synthetic: height and width of an image in pixels"),

      .choice("model.architecture", \.model.architecture, "encoder and decoder"),
    ] + modelFields + [
      .choice("quantizer.kind", \.quantizer.kind, "codebook loss or moving averages"),
      .choice(
        "quantizer.straight_through", \.quantizer.straightThrough,
        "how the gradient passes the quantizer"),
      .integer("quantizer.codebook_size", \.quantizer.codebookSize, 1...1_048_576, "codewords, K"),
      .integer("quantizer.dimension", \.quantizer.dimension, 1...4096, "width of a codeword, D"),
      .choice(
        "quantizer.distances", \.quantizer.distances,
        "products and an exact decision of near-ties, or slow and exact throughout; same codes"),
      .number("quantizer.commitment", \.quantizer.commitment, 0..<1e6, "the weight β"),
      .choice(
        "quantizer.weighting", \.quantizer.weighting,
        "β on the commitment term alone, as in the paper, or on the codebook term too; not with ema"
      ),
      .number("quantizer.decay", \.quantizer.decay, 0..<1, "γ of the moving averages"),
      .number("quantizer.epsilon", \.quantizer.epsilon, 1e-12..<1, "ε of their smoothing"),
      .optionalChoice(
        "quantizer.init", \.quantizer.initialization,
        "start of the codebook: ±1/K, 0…1, normal, ±√(3/D); by default the architecture's"),
      .optionalChoice(
        "quantizer.ema_unused", \.quantizer.emaUnused,
        "what becomes of a codeword nobody chose; by default the architecture's"),

      .integer(
        "training.steps", \.training.steps, 1...1_000_000_000, "optimizer steps", .circumstances),
      .integer("training.batch_size", \.training.batchSize, 1...65_536, "images in a step"),
      .number(
        "training.learning_rate", \.training.learningRate, 1e-12..<1e12, "Adam's, at its highest"),
      .choice(
        "training.schedule", \.training.schedule, "the learning rate after the warm-up"),
      .integer(
        "training.warmup_steps", \.training.warmupSteps, 0...1_000_000_000,
        "steps in which the learning rate rises"),
      .number(
        "training.final_learning_rate", \.training.finalLearningRate, 0..<1e12,
        "where the cosine ends"),
      .number(
        "training.weight_decay", \.training.weightDecay, 0..<1e6,
        "AdamW's λ, for all trained parameters; 0: Adam"),
      .optionalNumber(
        "training.clip_norm", \.training.clipNorm, 1e-12..<1e12,
        "the largest norm of a gradient; by default any"),
      .choice(
        "training.reconstruction", \.training.reconstruction,
        "the reconstruction term: over the variance of the images, or not"),
      .choice(
        "training.reduction", \.training.reduction,
        "the loss as a mean, or multiplied by the images of the batch"),
      .choice(
        "training.convolution", \.training.convolution,
        "how: the fastest for each shape, no Winograd, or the reference"),
      .optionalInteger(
        "training.threads", \.training.threads, 1...1024,
        "worker threads; by default the processors allowed", .circumstances),
      .integer(
        "training.checkpoint_every", \.training.checkpointEvery, 0...1_000_000_000,
        "steps between checkpoints; 0: only at the end", .circumstances),
      .integer(
        "training.validate_every", \.training.validateEvery, 0...1_000_000_000,
        "steps between validations; 0: only at the end", .circumstances),
      .integer(
        "training.log_every", \.training.logEvery, 1...1_000_000_000,
        "steps between lines of progress where there is no terminal", .circumstances),

      .text(
        "output.folder", \.output.folder, "the run folder; by default runs/ and the file's name",
        .circumstances),
    ]

  private init(
    _ key: String, _ expected: String, _ meaning: String, _ scope: Scope = .experiment,
    isList: Bool = false, isPath: Bool = false,
    clear: (@Sendable (inout Configuration) -> Void)? = nil,
    read: @escaping @Sendable (ConfigurationValue, inout Configuration) -> Bool,
    write: @escaping @Sendable (Configuration) -> String?
  ) {
    self.key = key
    self.expected = expected
    self.meaning = meaning
    usualScope = scope
    self.isList = isList
    self.isPath = isPath
    self.clear = clear
    self.read = read
    self.write = write
  }
}

// MARK: Fields of one architecture or data set

extension ConfigurationField {
  /// The names of the architectures that the field belongs to; nil where it belongs to all.
  package var architectures: [String]? {
    guard key.hasPrefix(Self.modelPrefix), key != "model.architecture" else { return nil }
    let field = key.dropFirst(Self.modelPrefix.count)
    return ArchitectureName.allCases.filter { $0.fields.contains { $0.name == field } }
      .map(\.rawValue)
  }

  /// The kind of data that the field belongs to; nil where it belongs to all, or says nothing to the
  /// others.
  var dataKind: Configuration.Data.Kind? { key == "data.side" ? .synthetic : nil }

  /// Whether a configuration's architecture and data have the field.
  func belongs(to configuration: Configuration) -> Bool {
    (architectures?.contains(configuration.model.architecture.rawValue) ?? true)
      && (dataKind.map { $0 == configuration.data.kind } ?? true)
  }

  /// The value of a field that belongs to the configuration, as a file has it.
  func value(in configuration: Configuration) -> String? {
    belongs(to: configuration) ? write(configuration) : nil
  }
}

// MARK: Fields that architectures declare

extension ConfigurationField {
  private static let modelPrefix = "model."

  /// Those of all architectures in the order of their list, a field that several have once.
  private static var modelFields: [ConfigurationField] {
    var found: [(field: ArchitectureName.Field, owners: [String])] = []
    for architecture in ArchitectureName.allCases {
      for field in architecture.fields {
        if let i = found.firstIndex(where: { $0.field.name == field.name }) {
          precondition(found[i].field == field, "\(field.name) has two meanings")
          found[i].owners.append(architecture.rawValue)
        } else {
          found.append((field, [architecture.rawValue]))
        }
      }
    }
    return found.map { ofModel($0.field, owners: $0.owners) }
  }

  private static func ofModel(_ field: ArchitectureName.Field, owners: [String]) -> Self {
    let name = field.name
    return Self(
      modelPrefix + name, expected(field.domain),
      "\(owners.joined(separator: ", ")): \(field.meaning)", isList: field.domain.isList,
      read: { value, c in
        guard let value = field.domain.value(of: value) else { return false }
        c.model[field: name] = value
        return true
      },
      write: { ($0.model[field: name] ?? field.initial).text })
  }

  private static func expected(_ domain: FieldDomain) -> String {
    switch domain {
    case .integer(let range): expected(range)
    case .integers(let range, let count):
      "a list of \(count.lowerBound) to \(count.upperBound) whole numbers from "
        + "\(range.lowerBound) to \(range.upperBound), such as [64, 128]"
    case .number(let range): expected(range)
    case .choice(let names): oneOf(names)
    }
  }
}

extension FieldDomain {
  fileprivate var isList: Bool {
    if case .integers = self { true } else { false }
  }

  /// The value that a text stands for; nil where it is none.
  fileprivate func value(of text: ConfigurationValue) -> FieldValue? {
    switch self {
    case .integer(let range): return text.integer(in: range).map { .integer($0) }
    case .integers(let range, let count):
      guard let items = text.items, count.contains(items.count) else { return nil }
      let numbers = items.compactMap { $0.integer(in: range) }
      return numbers.count == items.count ? .integers(numbers) : nil
    case .number(let range): return text.number(in: range).map { .number($0) }
    case .choice(let names): return names.contains(text.text) ? .choice(text.text) : nil
    }
  }
}

extension FieldValue {
  /// The value as a file has it.
  fileprivate var text: String {
    switch self {
    case .integer(let value): "\(value)"
    case .integers(let values): "[\(values.map(String.init).joined(separator: ", "))]"
    case .number(let value): "\(value)"
    case .choice(let name): name
    }
  }
}

// MARK: Kinds of fields

extension ConfigurationField {
  private typealias Path<Value> = WritableKeyPath<Configuration, Value> & Sendable

  private static func assign<Value>(
    _ value: Value?, to path: Path<Value>, of configuration: inout Configuration
  ) -> Bool {
    guard let value else { return false }
    configuration[keyPath: path] = value
    return true
  }

  private static func integer(
    _ key: String, _ path: Path<Int>, _ range: ClosedRange<Int>, _ meaning: String,
    _ scope: Scope = .experiment
  ) -> Self {
    Self(
      key, expected(range), meaning, scope,
      read: { scalar, c in
        assign(scalar.integer(in: range), to: path, of: &c)
      },
      write: { String($0[keyPath: path]) })
  }

  private static func optionalInteger(
    _ key: String, _ path: Path<Int?>, _ range: ClosedRange<Int>, _ meaning: String, _ scope: Scope
  ) -> Self {
    Self(
      key, expected(range), meaning, scope, clear: { $0[keyPath: path] = nil },
      read: { scalar, c in
        assign(scalar.integer(in: range).map { .some($0) }, to: path, of: &c)
      },
      write: { $0[keyPath: path].map { String($0) } })
  }

  private static func number(
    _ key: String, _ path: Path<Double>, _ range: Range<Double>, _ meaning: String
  ) -> Self {
    Self(
      key, expected(range), meaning,
      read: { scalar, c in
        assign(scalar.number(in: range), to: path, of: &c)
      },
      write: { "\($0[keyPath: path])" })
  }

  private static func optionalNumber(
    _ key: String, _ path: Path<Double?>, _ range: Range<Double>, _ meaning: String
  ) -> Self {
    Self(
      key, expected(range), meaning, clear: { $0[keyPath: path] = nil },
      read: { scalar, c in
        assign(scalar.number(in: range).map { .some($0) }, to: path, of: &c)
      },
      write: { $0[keyPath: path].map { "\($0)" } })
  }

  private static func text(
    _ key: String, _ path: Path<String?>, _ meaning: String, _ scope: Scope
  ) -> Self {
    Self(
      key, "a path", meaning, scope, isPath: true, clear: { $0[keyPath: path] = nil },
      read: { scalar, c in
        guard !scalar.text.isEmpty else { return false }
        c[keyPath: path] = scalar.text
        return true
      },
      write: { $0[keyPath: path] })
  }

  private static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
    _ key: String, _ path: Path<Value>, _ meaning: String
  ) -> Self {
    Self(
      key, oneOf(Value.allCases.map(\.rawValue)), meaning,
      read: { scalar, c in assign(Value(rawValue: scalar.text), to: path, of: &c) },
      write: { $0[keyPath: path].rawValue })
  }

  private static func optionalChoice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
    _ key: String, _ path: Path<Value?>, _ meaning: String
  ) -> Self {
    Self(
      key, oneOf(Value.allCases.map(\.rawValue)), meaning, clear: { $0[keyPath: path] = nil },
      read: { scalar, c in
        assign(Value(rawValue: scalar.text).map { .some($0) }, to: path, of: &c)
      },
      write: { $0[keyPath: path]?.rawValue })
  }

  private static func expected(_ range: ClosedRange<Int>) -> String {
    "a whole number from \(range.lowerBound) to \(range.upperBound)"
  }

  private static func expected(_ range: Range<Double>) -> String {
    "a number of at least \(short(range.lowerBound)) and below \(short(range.upperBound))"
  }

  /// The bound of a range without a needless fraction or row of zeros.
  private static func short(_ value: Double) -> String {
    let text = "\(value)"
    if abs(value) >= 1e6 { return "1e\(text.prefix { $0 != "." }.count - 1)" }
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func oneOf(_ names: [String]) -> String {
    names.count == 1 ? names[0] : names.dropLast().joined(separator: ", ") + " or " + names.last!
  }
}
