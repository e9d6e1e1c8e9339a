import Autoencoders
import Configurations
import Files
import Glibc
import Models
import Quantizers
import TestSupport
import Testing
import Training

@Suite("The same configuration gives the same bytes")
struct DeterminismTests {
  /// All options of a step, except a cosine schedule, whose rates depend on the number of steps.
  static let optimizer = [
    "training.weight_decay=0.1", "training.clip_norm=20", "training.warmup_steps=3",
    "training.reduction=mean_times_batch", "training.reconstruction=mse",
  ]

  /// Each kind of quantizer with the starts, restarts and random choices that it can have.
  static let quantizers: [[String]] = [
    ["kind=vq", "init=kmeans", "restart_every=2", "restart_below=0.5"],
    ["kind=ema", "init=kmeans", "restart_every=2", "restart_below=0.5"],
    ["kind=ema", "init=orthogonal", "straight_through=rotation"],
    ["kind=cosine", "init=kmeans", "restart_every=2"], ["kind=simvq"],
    ["kind=residual", "init=kmeans", "restart_every=2", "stage_dropout=0.5"],
    ["kind=residual", "stage_codebooks=shared", "inner=vq"],
    ["kind=grouped", "init=kmeans", "restart_every=2", "inner=vq"],
  ].map { settings in settings.map { "quantizer.\($0)" } }

  @Test("every kind of quantizer is among them")
  func kinds() {
    let tested = Set(Self.variants.flatMap(\.self))
    for kind in QuantizerKinds.all { #expect(tested.contains("quantizer.kind=\(kind.name)")) }
  }

  static let variants: [[String]] =
    quantizers + [
      optimizer + ["quantizer.weighting=both", "quantizer.distances=exact"],
      optimizer + ["quantizer.kind=ema", "training.shard_images=11"],
      ["quantizer.kind=vq"],
      ["quantizer.kind=vq", "quantizer.straight_through=detach"],
      ["quantizer.kind=ema"],
      ["quantizer.kind=fsq", "quantizer.levels=[5, 4, 7]"],
      optimizer + ["quantizer.kind=lfq", "quantizer.bits=5", "training.shard_images=11"],
      ["quantizer.kind=ema", "model.preset=sonnet", "quantizer.straight_through=detach"],
    ]
    + otherArchitectures.flatMap { architecture in
      ["vq", "ema"].map { [architecture, "quantizer.kind=\($0)"] }
    }

  /// All runs have to give the same bytes as one uninterrupted run on one thread. Batches of 70 are nine
  /// shards, the last one of six images and two of padding. 270 images are trained on, so that step 5 is in
  /// mid-epoch.
  @Test(
    "for 1 to 4 threads, and for a run of 10 steps and one of 5 that is resumed for 5 more",
    arguments: variants)
  func threadsAndResumption(settings: [String]) throws {
    func configuration(_ steps: Int) throws -> Configuration {
      try smallConfiguration(settings + ["training.steps=\(steps)", "training.validate_every=5"])
    }
    try withTemporaryFolder { folder in
      let whole = try train(configuration(10), in: "\(folder)/whole", threads: 1)
      let two = try train(configuration(10), in: "\(folder)/two", threads: 2)
      try train(configuration(5), in: "\(folder)/parts", threads: 4)
      let parts = try train(configuration(10), in: "\(folder)/parts", threads: 3, resume: true)
      for (other, name) in [(two, "2 threads"), (parts, "4 threads, then 3")] {
        #expect(try contents(of: other.last) == contents(of: whole.last), "\(name)")
        #expect(try contents(of: other.best) == contents(of: whole.best), "\(name)")
      }
    }
  }

  /// The cosine depends on the number of steps, so the run is stopped in the middle instead.
  @Test(
    "for a run with a cosine schedule that is stopped and resumed", arguments: ["vq", "ema", "lfq"])
  func cosine(kind: String) throws {
    let configuration = try smallConfiguration(
      Self.optimizer + [
        "quantizer.kind=\(kind)", "training.schedule=cosine", "training.steps=12",
        "training.final_learning_rate=1e-5",
      ])
    try withTemporaryFolder { folder in
      let whole = try train(configuration, in: "\(folder)/whole", threads: 1)
      var resumed = configuration
      resumed.output.folder = "\(folder)/parts"
      do {
        var run = try TrainingRun<VQVAE>(RunStart<VQVAE>(new: resumed), threads: 4)
        let stop = StopSignal()
        _ = try run.run(stop: stop) { event in
          if case .step(7, _, _) = event { _ = stop.receive(SIGINT, at: 0) }
        }
        #expect(run.state.step == 7)
      }
      let parts = try train(resumed, in: "\(folder)/parts", threads: 2, resume: true)
      #expect(try contents(of: parts.last) == contents(of: whole.last))
      #expect(try contents(of: parts.best) == contents(of: whole.best))

      // With another number of steps it is another run.
      resumed.training.steps = 30
      let error = #expect(throws: ConfigurationError.self) {
        try train(resumed, in: parts.path, resume: true)
      }
      #expect(error?.description.contains("the run has training.steps: 12") == true)
    }
  }

  /// OpenBLAS waits for ever when more threads call it than it was built for.
  @Test("for more threads than OpenBLAS supports")
  func manyThreads() throws {
    let configuration = try smallConfiguration("training.batch_size=270", "training.steps=3")
    try withTemporaryFolder { folder in
      let one = try train(configuration, in: "\(folder)/1", threads: 1)
      let many = try train(configuration, in: "\(folder)/many", threads: 1000)
      #expect(try contents(of: many.last) == contents(of: one.last))
    }
  }

  @Test("another seed gives other bytes")
  func seeds() throws {
    try withTemporaryFolder { folder in
      let one = try train(smallConfiguration("seed=1"), in: "\(folder)/1")
      let two = try train(smallConfiguration("seed=2"), in: "\(folder)/2")
      #expect(try Checkpoint<VQVAE>(one.last).state.step == 6)
      #expect(try contents(of: one.last) != contents(of: two.last))
    }
  }

  @Test("for a run that was stopped during a validation, at the end or before")
  func stoppedInValidation() throws {
    let configuration = try smallConfiguration("training.validate_every=4")
    try withTemporaryFolder { folder in
      let whole = try train(configuration, in: "\(folder)/whole")
      for step in [4, 6] {
        var resumed = configuration
        let path = "\(folder)/stopped at \(step)"
        resumed.output.folder = path
        do {
          var run = try TrainingRun<VQVAE>(RunStart<VQVAE>(new: resumed), threads: 2)
          let stop = StopSignal()
          let outcome = try run.run(stop: stop) { event in
            // Raised after the step, so that the validation that follows is cut short.
            if case .step(step, _, _) = event { _ = stop.receive(SIGINT, at: 0) }
          }
          #expect(outcome == .stopped(.interrupted))
          #expect(try Checkpoint<VQVAE>(run.folder.last).state.validatedStep != step)
        }
        // After the run has released its folder.
        #expect(try RunStart<VQVAE>(resuming: resumed).completedSteps == nil)

        let parts = try train(resumed, in: path, resume: true)
        #expect(try contents(of: parts.last) == contents(of: whole.last))
        #expect(try contents(of: parts.best) == contents(of: whole.best))
        #expect(try RunStart<VQVAE>(resuming: resumed).completedSteps == 6)
      }
    }
  }

  @Test("metrics after the checkpoint are removed when a run is resumed")
  func metrics() throws {
    struct Stopped: Error {}
    let configuration = try smallConfiguration(
      "training.steps=10", "training.checkpoint_every=4", "training.validate_every=3")
    try withTemporaryFolder { folder in
      let whole = try train(configuration, in: "\(folder)/whole")
      // Dies in step 7, long after the checkpoint of step 4, and after the validation of step 6.
      #expect(throws: Stopped.self) {
        try train(configuration, in: "\(folder)/cut") { event in
          if case .step(7, _, _) = event { throw Stopped() }
        }
      }
      let cut = RunFolder("\(folder)/cut")
      // What the process had in memory is lost; what another one would have written is not.
      var text = try readText(cut.metrics, limit: 1 << 20)
      text +=
        #"{"loss":0.6,"nmse":0.5,"perplexity":2,"codesUsed":3,"step":7}"# + "\n" + #"{"step":8,"nm"#
      try write(Array(text.utf8), to: cut.metrics)

      try train(configuration, in: cut.path, resume: true)
      #expect(try contents(of: cut.last) == contents(of: whole.last))
      #expect(try contents(of: cut.best) == contents(of: whole.best))
      #expect(try steps(cut) == steps(whole))
      #expect(try steps(whole).count == 10 + 4)
    }
  }

  /// Steps of the lines of a run's metrics, validations as negative numbers.
  private func steps(_ run: RunFolder) throws -> [Int] {
    try readText(run.metrics, limit: 1 << 20).split(separator: "\n").map { line in
      let number = try #require(line.firstMatch(of: /"step":(\d+)/)?.output.1)
      return try #require(Int(number)) * (line.contains("\"split\":\"validation\"") ? -1 : 1)
    }
  }
}
