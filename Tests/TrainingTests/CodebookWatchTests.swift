import NN
import Testing
import Training

/// The watch on synthetic series, without a run.
@Suite("The watch of the codebooks")
struct CodebookWatchTests {
  private typealias Observation = CodebookWatch.Observation

  /// One codebook of 256 codewords, and validations of 10,000 codes.
  private func watch(size: Int = 256) -> CodebookWatch {
    CodebookWatch(
      [WatchedCodebook("quantizer", size: size, codesPerExample: 100)], validationCount: 100)
  }

  /// Steps from `first` on with these perplexities; as many codes are used.
  private func steps(
    _ perplexities: [Double], from first: Int = 1, ratio: Double? = 1, commitment: Double? = 0.1
  ) -> [Observation] {
    perplexities.enumerated().map { i, perplexity in
      Observation(
        step: first + i,
        codebooks: [
          .init(perplexity: perplexity, used: Int(perplexity.rounded(.up)), ratio: ratio)
        ],
        latents: [.init(commitment: commitment)])
    }
  }

  private func validation(_ used: Int, at step: Int) -> Observation {
    Observation(
      step: step, isValidation: true,
      codebooks: [.init(perplexity: Double(used) / 2, used: used)])
  }

  /// Observes a series; returns what was found, by step.
  private func observe(
    _ series: [Observation], by watch: inout CodebookWatch
  ) -> [(step: Int, finding: CodebookFinding)] {
    series.flatMap { seen in watch.observe(seen).map { (seen.step, $0) } }
  }

  // MARK: Collapse

  @Test("a collapse is found after 250 steps in a row, and reported once")
  func collapse() throws {
    var watch = watch()
    let start = observe(steps(Array(repeating: 5, count: 10)), by: &watch)
    #expect(start.isEmpty)
    #expect(observe(steps(Array(repeating: 1, count: 249), from: 11), by: &watch).isEmpty)
    #expect(watch.states == [])
    let found = observe(steps(Array(repeating: 1, count: 500), from: 260), by: &watch)
    #expect(found.map(\.step) == [260])
    let finding = try #require(found.first?.finding)
    #expect(finding.name == .collapsed && finding.since == 11 && finding.end == nil)
    #expect(finding.summary == "codebook collapsed at step 11: 1 of 256 codes")
    #expect(watch.states == ["collapsed"])
  }

  @Test("one step with more perplexity starts the count again")
  func interruptedCollapse() {
    var watch = watch()
    let series = Array(repeating: 1.0, count: 200) + [2.5] + Array(repeating: 1.0, count: 249)
    #expect(observe(steps(series), by: &watch).isEmpty)
    #expect(observe(steps([1], from: 451), by: &watch).map(\.finding.since) == [202])
  }

  /// Batch perplexities of the public notebook's settings with a codebook loss (docs/results.md), at steps 1,
  /// 100, 200 and so on, with straight lines between them.
  @Test(
    "the beginning of a healthy run is not a collapse",
    arguments: [
      [1, 2.0, 2.3, 2.6, 3.6, 6.8], [1, 2.0, 2.3, 3.3, 5.4, 5.9], [1, 2.2, 2.7, 4.0, 5.5, 6.9],
      [1, 1.9, 4.0, 4.6, 6.0, 8.3], [1, 1.2, 2.5, 4.7, 6.8, 9.5], [1, 2.2, 2.8, 3.3, 3.4, 5.2],
    ])
  func healthyStart(points: [Double]) {
    var watch = watch(size: 512)
    let series = (0..<500).map { step in
      let (k, t) = (step / 100, Double(step % 100) / 100)
      return points[k] + t * (points[k + 1] - points[k])
    }
    #expect(observe(steps(series), by: &watch).isEmpty)
    #expect(watch.findings.isEmpty)
  }

  @Test(
    "while codewords are far from the vectors, or this is not known, a thousand steps are needed",
    arguments: [20, 2, nil])
  func unsettled(ratio: Double?) {
    var watch = watch()
    #expect(observe(steps(Array(repeating: 1, count: 999), ratio: ratio), by: &watch).isEmpty)
    let found = observe(steps([1], from: 1000, ratio: ratio), by: &watch)
    #expect(found.map(\.finding.since) == [1])
  }

  @Test("once codewords have caught up, 250 steps are enough")
  func settled() {
    var watch = watch()
    _ = observe(steps(Array(repeating: 1, count: 400), ratio: 20), by: &watch)
    #expect(
      observe(steps(Array(repeating: 1, count: 249), from: 401, ratio: 1.99), by: &watch).isEmpty)
    let found = observe(steps([1], from: 650, ratio: 1.99), by: &watch)
    // The state began before that.
    #expect(found.map(\.finding.since) == [1])
  }

  @Test("a collapse ends after 100 steps in a row without it, and is not reported again")
  func recovery() {
    var watch = watch()
    _ = observe(steps(Array(repeating: 1, count: 300)), by: &watch)
    _ = observe(steps(Array(repeating: 9, count: 99), from: 301), by: &watch)
    #expect(watch.states == ["collapsed"])
    _ = observe(steps([9], from: 400), by: &watch)
    #expect(watch.states == [])
    #expect(watch.findings.map(\.summary) == ["codebook collapsed from step 1 to 300"])
    // It is a state again, although it is not reported.
    #expect(observe(steps(Array(repeating: 1, count: 250), from: 401), by: &watch).isEmpty)
    #expect(watch.states == ["collapsed"])
    #expect(watch.findings.map(\.summary) == ["codebook collapsed at step 401: 1 of 256 codes"])
  }

  @Test("collapsed means less than an eighth of the bits of a code")
  func limit() {
    for (size, perplexity) in [(2, 1.09), (8, 1.29), (16, 1.41), (256, 1.99), (512, 2.18)] {
      #expect(CodebookWatch.isCollapsed(perplexity: perplexity, size: size), "\(size)")
      #expect(!CodebookWatch.isCollapsed(perplexity: perplexity + 0.02, size: size), "\(size)")
    }
    // A single codeword has nothing to collapse.
    #expect(!CodebookWatch.isCollapsed(perplexity: 1, size: 1))
    // Before the first valid code.
    #expect(CodebookWatch.isCollapsed(perplexity: 0, size: 256))
  }

  // MARK: Commitment

  @Test("a commitment loss above 100 for 100 steps has exploded")
  func explosion() throws {
    var watch = watch()
    let fine = Array(repeating: 50.0, count: 99)
    #expect(observe(steps(fine, commitment: 1e6), by: &watch).isEmpty)
    let found = observe(steps([50], from: 100, commitment: 1.9e6), by: &watch)
    let finding = try #require(found.first?.finding)
    #expect(finding.name == .explodingCommitment && finding.since == 1)
    #expect(finding.summary == "commitment loss exploded at step 1: 1.9e6")
    #expect(watch.states == ["explodingCommitment"])
    _ = observe(steps(Array(repeating: 50, count: 100), from: 101, commitment: 2), by: &watch)
    #expect(watch.states == [])
    #expect(watch.findings.map(\.summary) == ["commitment loss exploded from step 1 to 100"])
  }

  @Test("without a commitment term there is no explosion")
  func noCommitment() {
    var watch = watch()
    #expect(
      observe(steps(Array(repeating: 50, count: 600), commitment: nil), by: &watch).isEmpty)
  }

  // MARK: Dead codewords

  @Test("half of the codebook is dead if a validation says so and batches use no more")
  func deadHalf() throws {
    var watch = watch()
    _ = observe(steps(Array(repeating: 12, count: 599)), by: &watch)
    // Too early: a hundred steps more than five hundred are needed.
    #expect(observe([validation(13, at: 599)], by: &watch).isEmpty)
    _ = observe(steps([12], from: 600), by: &watch)
    let found = observe([validation(13, at: 600), validation(14, at: 600)], by: &watch)
    #expect(found.count == 1)
    let finding = try #require(found.first?.finding)
    #expect(finding.name == .deadHalf && finding.since == 100)
    #expect(watch.states == ["deadHalf"])
    // The figure is that of the last validation.
    #expect(
      watch.findings.map(\.summary) == ["half of the codebook dead at step 100: 14 of 256 codes"])
    _ = observe([validation(127, at: 610)], by: &watch)
    #expect(watch.states == ["deadHalf"])
    _ = observe([validation(128, at: 620)], by: &watch)
    #expect(watch.states == [])
  }

  @Test("codewords that are still coming into use are not dead")
  func growing() {
    // A hundredth of 256 in 500 steps is 2.6.
    for (growth, isDead) in [(1.02, true), (1.1, false)] {
      var watch = watch()
      let series = (0..<600).map { 50 * (1 + (growth - 1) * Double($0) / 500) }
      _ = observe(steps(series), by: &watch)
      #expect(observe([validation(60, at: 600)], by: &watch).isEmpty == !isDead)
    }
  }

  @Test("a validation of few codes says nothing about unused codewords")
  func fewCodes() {
    // 10,000 codes for 1,001 codewords.
    for (size, isDead) in [(1000, true), (1001, false)] {
      var watch = watch(size: size)
      _ = observe(steps(Array(repeating: 12, count: 600)), by: &watch)
      #expect(observe([validation(13, at: 600)], by: &watch).isEmpty == !isDead)
    }
  }

  @Test("of a collapsed codebook, the dead half is not reported too")
  func deadAndCollapsed() {
    var watch = watch()
    let found = observe(
      steps(Array(repeating: 1, count: 600)) + [validation(1, at: 600)], by: &watch)
    #expect(found.map(\.finding.name) == [.collapsed])
  }

  // MARK: Several codebooks, gaps

  @Test("each codebook and each latent is watched by itself, and named")
  func severalCodebooks() {
    let names = ["quantizer_top", "quantizer_bottom"]
    var watch = CodebookWatch(
      names.map { WatchedCodebook($0, size: 64, codesPerExample: 64) }, validationCount: 100)
    var found: [CodebookFinding] = []
    for step in 1...260 {
      found += watch.observe(
        Observation(
          step: step,
          codebooks: [
            .init(perplexity: 1, used: 1, ratio: 1), .init(perplexity: 30, used: 40, ratio: 1),
          ],
          latents: [.init(names[0], commitment: 0.1), .init(names[1], commitment: 1000)]))
    }
    #expect(
      found.map(\.summary) == [
        "commitment loss of quantizer_bottom exploded at step 1: 1000",
        "codebook quantizer_top collapsed at step 1: 1 of 64 codes",
      ])
    #expect(
      watch.states == ["quantizer_bottom: explodingCommitment", "quantizer_top: collapsed"])
  }

  @Test("codebooks that collapse in the same step are reported in that step")
  func sameStep() {
    let slots = (0..<4).map { WatchedCodebook("quantizer.\($0)", size: 16, codesPerExample: 64) }
    var watch = CodebookWatch(slots, validationCount: 100)
    let found = (1...1100).flatMap { step in
      watch.observe(
        Observation(
          step: step, codebooks: Array(repeating: .init(perplexity: 1, used: 1), count: 4)))
    }
    #expect(found.map(\.subject) == slots.map(\.name))
  }

  @Test("steps that are missing start the count again")
  func gap() {
    var watch = watch()
    _ = observe(steps(Array(repeating: 1, count: 200)), by: &watch)
    #expect(observe(steps(Array(repeating: 1, count: 249), from: 300), by: &watch).isEmpty)
    #expect(observe(steps([1], from: 549), by: &watch).map(\.finding.since) == [300])
  }

  @Test("a model without codebooks has no findings")
  func noCodebooks() {
    var watch = CodebookWatch([], validationCount: 10)
    for step in 1...300 {
      #expect(watch.observe(Observation(step: step, codebooks: [])).isEmpty)
    }
  }
}
