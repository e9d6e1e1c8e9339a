import Autoencoders
import Configurations
import Datasets
import Options
import Quantizers
import TestSupport
import Testing

/// A written configuration reads back unchanged.
@Suite("Round trips")
struct RoundTripTests {
  /// Paths that need care in YAML.
  static let paths = [
    "a", "a b", " a", "a ", "a  b", "#a", "a #b", "a#b", "a: b", "a:b", ":a", "a:", "-a", "- a",
    "--", "---", "...", "?", "? a", "!a", "%a", "@a", "`a", "|", ">", "'", "\"", "a'b", "a\"b",
    "\\", "a\\nb", "{a}", "[a]", "a, b", "=", "<<", "123", "1.5", "0x10", "yes", "no", "true",
    "&a", "*a", "a&b", "a*b", "é", "日本語", "👩‍👩‍👧", "..", "/", "./~/x", "./$x", "a~", "a$", ".inf",
    "2001-01-01",
    "a\tb", "a\nb", "\n", "a\n", "a\u{7}b", "a\u{1B}[31m", "a\u{85}b", "a\u{2028}b", "a\u{FEFF}b",
    "a\r\nb", "null", "Null", "NULL", "a & b", "a, *b", "a-*b", "R&D *D", "&a *a", "e\u{301}",
    String(repeating: "long path ", count: 40) + "end",
    String(repeating: "x", count: 4000),
  ]

  private func roundTrip(_ configuration: Configuration) throws -> Configuration {
    try ConfigurationReader.read(yaml: configuration.yaml(), name: "c.yaml")
  }

  @Test("any path reads back unchanged", arguments: paths)
  func path(_ path: String) throws {
    var configuration = try read("data: {kind: cifar10, root: x}\n")
    configuration.data.root = path
    configuration.output.folder = path
    #expect(try roundTrip(configuration) == configuration, "\(configuration.yaml())")
  }

  @Test("& and * in two paths read back unchanged")
  func pathsWithSigns() throws {
    var configuration = try read("data: {kind: cifar10, root: x}\n")
    configuration.data.root = "R&D"
    configuration.output.folder = "runs/*D"
    #expect(try roundTrip(configuration) == configuration, "\(configuration.yaml())")
  }

  @Test("any configuration reads back unchanged")
  func anyConfiguration() throws {
    var random = TestGenerator(state: 6)
    for _ in 0..<300 {
      let configuration = Self.random(&random)
      #expect(try roundTrip(configuration) == configuration, "\(configuration.yaml())")
      #expect(configuration.differences(from: configuration, in: .experiment).isEmpty)
      // Writing again gives the same bytes, which are part of a checkpoint.
      #expect(try roundTrip(configuration).yaml() == configuration.yaml())
    }
  }

  private static func random(_ random: inout TestGenerator) -> Configuration {
    var c = Configuration()
    func real(_ low: Double, _ high: Double) -> Double {
      // Values over many orders of magnitude.
      let power = Int.random(in: 0...11, using: &random)
      return max(low, high * Double.random(in: 0..<1, using: &random) * Double("1e-\(power)")!)
    }
    c.seed = random.next() >> UInt64.random(in: 0..<64, using: &random)
    c.data = section(&random)
    if c.data.kind == "synthetic" {
      // At most the size that the number of images allows.
      c.data.update(Synthetic.self) {
        let largest = min(512, Int(Double((1 << 30) / $0.images).squareRoot()))
        $0.side = .random(in: 8...largest, using: &random)
      }
    }
    c.model = section(&random)
    // A value that the architecture refuses is replaced: one group divides every width.
    if let fault = c.model.fault {
      let field = fault.fields[0]
      c.model[field: field] = field == "groups" ? .integer(1) : nil
    }
    #expect(c.model.fault == nil)
    c.quantizer = section(&random)
    // A value without effect is left out; one group divides every width. Zeros, with which other fields have
    // no effect, are not drawn.
    while let field = c.quantizer.fault?.fields.first {
      c.quantizer[field: field] = field == "groups" ? .integer(1) : nil
    }
    c.training.steps = .random(in: 1...1_000_000_000, using: &random)
    c.training.batchSize = .random(in: 1...65_536, using: &random)
    c.training.learningRate = real(1e-12, 1e12)
    c.training.schedule = .allCases.randomElement(using: &random)!
    let isCosine = c.training.schedule == .cosine
    c.training.warmupSteps = .random(
      in: 0...(c.training.steps - (isCosine ? 1 : 0)), using: &random)
    c.training.finalLearningRate =
      isCosine ? .random(in: 0...c.training.learningRate, using: &random) : 0
    c.training.weightDecay = real(0, min(1e6, 1 / c.training.learningRate)) * 0.99
    c.training.clipNorm = Bool.random(using: &random) ? real(1e-12, 1e12) : nil
    c.training.reconstruction = .allCases.randomElement(using: &random)!
    c.training.reduction = .allCases.randomElement(using: &random)!
    c.training.kernels = Bool.random(using: &random) ? .avx2 : nil
    c.training.threads = Bool.random(using: &random) ? .random(in: 1...1024, using: &random) : nil
    c.training.checkpointEvery = .random(in: 0...1_000_000_000, using: &random)
    c.training.validateEvery = .random(in: 0...1_000_000_000, using: &random)
    c.training.logEvery = .random(in: 1...1_000_000_000, using: &random)
    c.output.folder = paths.randomElement(using: &random)!
    return c
  }

  /// A random kind with random fields; fields of other kinds are not in a file.
  private static func section<List>(_ random: inout TestGenerator) -> Section<List> {
    var section = Section<List>(kind: Section<List>.kinds.randomElement(using: &random)!)!
    for field in Section<List>.fields.dropFirst() where field.belongs(section) {
      let value: FieldValue =
        switch field.domain {
        case .integer(let range): .integer(.random(in: range, using: &random))
        case .natural: .natural(random.next())
        case .integers(let range, let count):
          .integers(
            (0..<Int.random(in: count, using: &random)).map { _ in
              .random(in: range, using: &random)
            })
        case .number(let range): .number(.random(in: range, using: &random))
        case .choice(let names): .choice(names.randomElement(using: &random)!)
        case .path: .path(paths.randomElement(using: &random)!)
        }
      field.set(value, &section)
    }
    return section
  }

  @Test(
    "the file has every field of its kinds that has a value, in the order of the fields",
    arguments: ModelSection.kinds)
  func everyField(architecture: String) throws {
    let data = ["kind: cifar10, root: x", "kind: synthetic"]
    for (i, quantizer) in QuantizerSection.kinds.enumerated() {
      let data = data[i % 2]
      let hasRestarts =
        QuantizerSection(kind: quantizer)?[field: "codebook_size"] != nil && quantizer != "simvq"
      func kinds(_ more: String) -> String {
        "model: {architecture: \(architecture)}\nquantizer: {kind: \(quantizer)\(hasRestarts ? more : "")}\n"
      }
      let without = try read("data: {\(data)}\n" + kinds(""))
      let fields = Configuration.fields.filter { $0.belongs(without) }.map(\.name)
      #expect(
        keys(without.yaml())
          == fields.filter {
            ![
              "quantizer.restart_every", "quantizer.restart_until", "quantizer.restart_below",
              "training.kernels", "training.threads", "training.clip_norm", "training.shard_images",
            ].contains($0)
          })
      let all = try read(
        "training: {kernels: avx2, threads: 2, clip_norm: 1, shard_images: 16}\ndata: {\(data)}\n"
          + kinds(", restart_every: 5, restart_until: 9, restart_below: 0.1"))
      #expect(keys(all.yaml()) == fields)
    }
  }

  @Test("each field has one of the two scopes")
  func scopes() throws {
    let configuration = try read(
      "data: {kind: cifar10, root: x}\ntraining: {threads: 2, clip_norm: 1}\n")
    let (experiment, rest) = (configuration.yaml(.experiment), configuration.yaml(.runtime))
    #expect(
      Set(keys(experiment)).union(keys(rest)) == Set(keys(configuration.yaml())))
    #expect(Set(keys(experiment)).isDisjoint(with: keys(rest)))
    // Fields that depend on the machine or the folders must not be saved in a checkpoint.
    #expect(
      keys(rest) == [
        "data.root", "training.steps", "training.threads", "training.checkpoint_every",
        "training.validate_every", "training.log_every", "output.folder",
      ])
  }

  @Test("the number of steps belongs to the experiment if the learning rate depends on it")
  func stepsOfCosine() throws {
    let constant = try read("training: {steps: 5}\n")
    let cosine = try read("training: {steps: 5, schedule: cosine}\n")
    let longer = try read("training: {steps: 6, schedule: cosine}\n")
    #expect(!keys(constant.yaml(.experiment)).contains("training.steps"))
    #expect(keys(cosine.yaml(.experiment)).contains("training.steps"))
    #expect(cosine.differences(from: longer, in: .experiment).map(\.key) == ["training.steps"])
    #expect(
      constant.differences(from: cosine, in: .experiment).map(\.key) == ["training.schedule"])
  }

  /// The dotted keys of a file without long values, in the file's order.
  private func keys(_ yaml: String) -> [String] {
    var section = ""
    return yaml.split(separator: "\n").compactMap { line in
      let key = line.drop { $0 == " " }.prefix { $0 != ":" }
      if line.hasPrefix("  ") { return "\(section).\(key)" }
      section = String(key)
      return line.hasSuffix(":") ? nil : section
    }
  }
}
