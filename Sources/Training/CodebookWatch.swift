import Glibc
import NN

/// Watches how a run uses its codebooks, and says when one of them is in a bad state.
///
/// It is a function of the observations, which are what `metrics.jsonl` has. A resumed run replays its log
/// and so finds what an uninterrupted run finds, and checkpoints hold nothing for it.
///
/// The first steps of a healthy run look like a collapse. A codebook in ±1/K starts far from the vectors, one
/// or two codewords are the nearest of all, and the others come into use when the codewords have followed. A
/// threshold alone would report every such run, so each state has a duration too; and low use counts for more
/// when the codewords have nothing left to follow. docs/troubleshooting.md has the runs from which the
/// numbers were chosen.
package struct CodebookWatch: Sendable {
  // MARK: Thresholds

  /// A codebook has collapsed if its codes carry less than this fraction of the bits that they can carry:
  /// `log₂ perplexity < log₂ K / 8`. For K = 256 this is one bit, as of two equally frequent codes. Relative
  /// to K, it is a limit for an alphabet of 2 or 8 as well.
  static let collapsedBits = 1.0 / 8

  /// A commitment loss above this has exploded. Beside it the reconstruction error, which is 1 for a grey
  /// picture, has no weight.
  static let explodedCommitment = 100.0

  /// How many steps in a row the commitment loss has to be above its limit. In healthy runs it was for at most
  /// 20.
  package static let explodedOnset = 100

  /// How many steps in a row a collapse has to last.
  package static let onset = 250

  /// Codewords have caught up with the vectors if the root mean square of the vectors is less than this
  /// multiple of theirs. In healthy runs with as few codes as in a collapse it was, but for the first 6 steps,
  /// at least 2.3.
  static let settledRatio = 2.0

  /// How many steps in a row a collapse has to last while codewords have not caught up, or if that is not
  /// known. Healthy runs were in such a state for up to 254 steps in a row, at a learning rate of 3e-4.
  package static let unsettledOnset = 1000

  /// How many steps in a row without the sign end it.
  package static let recovery = 100

  /// Half of a codebook is dead if a whole validation chooses less than half of the codewords, and the number
  /// that a batch chooses has grown by less than this fraction of the codebook…
  static let growth = 0.01
  /// … in this number of steps. A codebook that is still coming into use is not dead; at this rate, half of
  /// it would take 25,000 steps.
  static let growthSteps = 500
  /// Both numbers are means over so many steps.
  static let growthMean = 100

  /// A validation with fewer codes per codeword says nothing about the codewords that it does not choose.
  static let codesPerCodeword = 10

  // MARK: Observations

  /// What is seen of a step or of a validation.
  package struct Observation: Sendable, Equatable {
    package struct Codebook: Sendable, Equatable {
      package let perplexity: Double
      /// How many codewords were chosen.
      package let used: Int
      /// See ``LatentScale/ratio``; nil in a validation, or if codewords are not those of one codebook.
      package let ratio: Double?

      package init(perplexity: Double, used: Int, ratio: Double? = nil) {
        self.perplexity = perplexity
        self.used = used
        self.ratio = ratio
      }
    }

    package struct Latent: Sendable, Equatable {
      /// May be nil if there is only one.
      package let name: String?
      package let commitment: Double?

      package init(_ name: String? = nil, commitment: Double?) {
        self.name = name
        self.commitment = commitment
      }
    }

    package let step: Int
    package let isValidation: Bool
    /// In the order of ``TrainableModel/watchedCodebooks``.
    package var codebooks: [Codebook]
    package var latents: [Latent]

    package init(
      step: Int, isValidation: Bool = false, codebooks: [Codebook] = [], latents: [Latent] = []
    ) {
      self.step = step
      self.isValidation = isValidation
      self.codebooks = codebooks
      self.latents = latents
    }

    package init(_ measurements: Measurements, step: Int, isValidation: Bool = false) {
      self.init(
        step: step, isValidation: isValidation,
        codebooks: measurements.usage.map { usage in
          Codebook(
            perplexity: usage.perplexity, used: usage.used,
            ratio: measurements.scales.first { $0.name == usage.name }?.ratio)
        },
        latents: measurements.scales.map { Latent($0.name, commitment: $0.commitment) })
    }
  }

  // MARK: State

  /// How many steps in a row, up to the last, had a sign, or had it not.
  private struct Streak: Sendable {
    private(set) var signs = 0
    private(set) var calm = 0

    mutating func add(_ sign: Bool) {
      (signs, calm) = sign ? (signs + 1, 0) : (0, calm + 1)
    }
  }

  private let codebooks: [WatchedCodebook]
  private let validationCount: Int
  private var lastStep = 0
  private var collapse: [Streak]
  /// The same for steps in which the codewords have also caught up.
  private var settledCollapse: [Streak]
  private var explosion: [Streak] = []
  /// How many codewords each of the last steps chose, by codebook.
  private var used: [[Int]]
  /// Each state that the run has been in, once for each codebook or latent; `i` is its index.
  private var found: [(finding: CodebookFinding, i: Int)] = []

  /// - Parameter validationCount: how many examples a validation has.
  package init(_ codebooks: [WatchedCodebook], validationCount: Int) {
    self.codebooks = codebooks
    self.validationCount = validationCount
    collapse = Array(repeating: Streak(), count: codebooks.count)
    settledCollapse = collapse
    used = Array(repeating: [], count: codebooks.count)
  }

  /// The states that the run has been in, in the order in which they were found. If one returned, its latest
  /// time.
  package var findings: [CodebookFinding] { found.map(\.finding) }

  /// The states that last, as `metrics.jsonl` has them: `collapsed`, or `quantizer_top: collapsed` if there
  /// are several codebooks.
  package var states: [String] {
    findings.filter { $0.end == nil }.map {
      ($0.subject.map { "\($0): " } ?? "") + $0.name.rawValue
    }
  }

  // MARK: Observing

  /// Whether codes of this perplexity are those of a collapsed codebook.
  ///
  /// - Parameter size: K.
  package static func isCollapsed(perplexity: Double, size: Int) -> Bool {
    log2(max(perplexity, 1)) < collapsedBits * log2(Double(size))
  }

  /// Takes the next observation.
  ///
  /// - Returns: The states that it establishes for the first time: none or one, and more only if several
  ///   codebooks reach a state in the same step.
  package mutating func observe(_ seen: Observation) -> [CodebookFinding] {
    let count = found.count
    if seen.isValidation { observeValidation(seen) } else { observeStep(seen) }
    return found[count...].map(\.finding)
  }

  private mutating func observeStep(_ seen: Observation) {
    if seen.step != lastStep + 1 { forgetSteps() }
    lastStep = seen.step
    for (i, codebook) in seen.codebooks.prefix(codebooks.count).enumerated() {
      used[i].append(codebook.used)
      if used[i].count > Self.growthSteps + Self.growthMean { used[i].removeFirst() }
      let size = codebooks[i].size
      let isCollapsed = Self.isCollapsed(perplexity: codebook.perplexity, size: size)
      let isSettled = codebook.ratio.map { $0 < Self.settledRatio } ?? false
      collapse[i].add(isCollapsed)
      settledCollapse[i].add(isCollapsed && isSettled)
      let onset = settledCollapse[i].signs >= Self.onset ? Self.onset : Self.unsettledOnset
      follow(
        collapse[i], after: onset, .collapsed, i, subject: subject(ofCodebook: i), at: seen.step,
        figure: "\(codebook.used) of \(size) codes")
    }
    while explosion.count < seen.latents.count { explosion.append(Streak()) }
    for (i, latent) in seen.latents.enumerated() {
      guard let commitment = latent.commitment else { continue }
      explosion[i].add(commitment > Self.explodedCommitment)
      follow(
        explosion[i], after: Self.explodedOnset, .explodingCommitment, i,
        subject: seen.latents.count > 1 ? latent.name : nil, at: seen.step,
        figure: Self.rounded(commitment))
    }
  }

  private mutating func observeValidation(_ seen: Observation) {
    for (i, codebook) in seen.codebooks.prefix(codebooks.count).enumerated() {
      let (size, codes) = (codebooks[i].size, codebooks[i].codesPerExample * validationCount)
      guard codes >= Self.codesPerCodeword * size else { continue }
      let isHalfUsed = 2 * codebook.used >= size
      if lasts(.deadHalf, i) {
        if isHalfUsed { end(.deadHalf, i, at: seen.step) }
      } else if !isHalfUsed, !hasOtherState(i), let growth = growth(ofCodebook: i),
        growth < Self.growth
      {
        begin(
          .deadHalf, i, subject: subject(ofCodebook: i), since: seen.step - Self.growthSteps)
      }
      update(.deadHalf, i, figure: "\(codebook.used) of \(size) codes")
    }
  }

  /// Whether a codebook has collapsed or a commitment loss has exploded, which explains unused codewords.
  private func hasOtherState(_ i: Int) -> Bool {
    lasts(.collapsed, i)
      || found.contains { $0.finding.name == .explodingCommitment && $0.finding.end == nil }
  }

  /// By which fraction of the codebook the number of codewords that a batch chooses has grown, or nil if
  /// there were too few steps.
  private func growth(ofCodebook i: Int) -> Double? {
    guard used[i].count == Self.growthSteps + Self.growthMean else { return nil }
    let (old, new) = (used[i].prefix(Self.growthMean), used[i].suffix(Self.growthMean))
    return Double(new.reduce(0, +) - old.reduce(0, +))
      / Double(Self.growthMean * codebooks[i].size)
  }

  /// After steps that were not observed, which a damaged log can have.
  private mutating func forgetSteps() {
    collapse = collapse.map { _ in Streak() }
    settledCollapse = collapse
    explosion = explosion.map { _ in Streak() }
    used = used.map { _ in [] }
  }

  private func subject(ofCodebook i: Int) -> String? {
    codebooks.count > 1 ? codebooks[i].name : nil
  }

  // MARK: Findings

  /// Begins or ends a state that a streak of steps decides.
  private mutating func follow(
    _ streak: Streak, after onset: Int, _ name: CodebookFinding.Name, _ i: Int, subject: String?,
    at step: Int, figure: String
  ) {
    if !lasts(name, i), streak.signs >= onset {
      begin(name, i, subject: subject, since: step - streak.signs + 1)
    } else if streak.calm >= Self.recovery {
      end(name, i, at: step - streak.calm)
    }
    if streak.calm == 0 { update(name, i, figure: figure) }
  }

  private mutating func begin(
    _ name: CodebookFinding.Name, _ i: Int, subject: String?, since: Int
  ) {
    if let k = index(name, i) {
      (found[k].finding.since, found[k].finding.end) = (since, nil)
    } else {
      found.append(
        (CodebookFinding(name: name, subject: subject, since: since, end: nil, figure: ""), i))
    }
  }

  private mutating func end(_ name: CodebookFinding.Name, _ i: Int, at step: Int) {
    guard lasts(name, i), let k = index(name, i) else { return }
    found[k].finding.end = step
  }

  private mutating func update(_ name: CodebookFinding.Name, _ i: Int, figure: String) {
    guard lasts(name, i), let k = index(name, i) else { return }
    found[k].finding.figure = figure
  }

  private func index(_ name: CodebookFinding.Name, _ i: Int) -> Int? {
    found.firstIndex { $0.finding.name == name && $0.i == i }
  }

  private func lasts(_ name: CodebookFinding.Name, _ i: Int) -> Bool {
    index(name, i).map { found[$0].finding.end == nil } ?? false
  }

  /// Without decimals, and from 10⁵ on with two digits and a power of ten.
  private static func rounded(_ value: Double) -> String {
    guard value >= 1e5 else { return "\(Int(value.rounded()))" }
    let exponent = log10(value).rounded(.down)
    return "\((value / pow(10, exponent - 1)).rounded() / 10)e\(Int(exponent))"
  }
}
