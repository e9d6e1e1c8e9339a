import Autoencoders
import Configurations
import Files
import Foundation
import Glibc
import Models
import TestSupport
import Testing
import Training

/// Runs whose codebooks collapse, and one whose does not.
@Suite("Runs with a watched codebook", .timeLimit(.minutes(5)))
struct WatchedRunTests {
  /// Codewords of a wide normal distribution: all vectors, which are near the origin, choose the same one, and
  /// the codebook loss moves no other.
  private func collapsing(_ settings: [String] = []) throws -> Configuration {
    let isResidual = !settings.contains { $0.hasPrefix("model.architecture=") }
    return try smallConfiguration(
      (isResidual ? ["model.preset=sonnet", "training.learning_rate=0.001"] : []) + [
        "quantizer.kind=vq", "quantizer.init=normal", "quantizer.dimension=64",
        "quantizer.codebook_size=256", "training.batch_size=8", "training.steps=300",
        "training.validate_every=130", "training.checkpoint_every=0",
      ] + settings)
  }

  /// The lines of a run's metrics, without the speed, which differs between runs.
  private func metrics(_ run: RunFolder) throws -> [String] {
    try readText(run.metrics, limit: 1 << 22).split(separator: "\n").map {
      String($0.replacing(#/"imagesPerSecond":[^,}]+,?/#, with: ""))
    }
  }

  @Test("a collapse is noted once, and is in the metrics from then on")
  func collapse() throws {
    try withTemporaryFolder { folder in
      var notes: [String] = []
      let run = try train(collapsing(), in: "\(folder)/run") { event in
        if case .note(let text) = event { notes.append(text) }
      }
      #expect(notes.count == 1, "\(notes)")
      let note = try #require(notes.first)
      #expect(
        note.contains("the codebook has collapsed: ") && note.contains(" of 256 codes")
          && note.contains("docs/troubleshooting.md"), "\(note)")
      let lines = try metrics(run)
      let first = try #require(lines.firstIndex { $0.contains(#""states":["collapsed"]"#) })
      #expect(lines[..<first].allSatisfy { !$0.contains("states") })
      #expect(lines[first...].allSatisfy { $0.contains(#""states":["collapsed"]"#) })
      let step = try #require(note.firstMatch(of: /^step (\d+):/)?.output.1)
      #expect(lines[first].contains(#""step":\#(step)"#))
    }
  }

  /// The run is stopped before the collapse has lasted long enough, when it has, and in between.
  @Test(
    "a run that is stopped and resumed has the same metrics and findings, and one note for each",
    arguments: [("residual", 1), ("hierarchical", 2)])
  func resumed(architecture: String, codebooks: Int) throws {
    let settings = architecture == "residual" ? [] : ["model.architecture=\(architecture)"]
    try withTemporaryFolder { folder in
      var wholeNotes: [String] = []
      let whole = try train(collapsing(settings), in: "\(folder)/whole") { event in
        if case .note(let text) = event { wholeNotes.append(text) }
      }
      var notes: [String] = []
      var findings: [CodebookFinding] = []
      for stopAt in [40, 200, 249, 250, 251, 280, 300] {
        var configuration = try collapsing(settings)
        configuration.output.folder = "\(folder)/parts"
        let start =
          try stopAt == 40
          ? RunStart<VQVAE>(new: configuration) : RunStart<VQVAE>(resuming: configuration)
        var run = try TrainingRun<VQVAE>(start, threads: 1 + stopAt % 2)
        let stop = StopSignal()
        _ = try run.run(stop: stop) { event in
          if case .note(let text) = event { notes.append(text) }
          if case .step(stopAt, _, _) = event, stopAt < 300 { _ = stop.receive(SIGINT, at: 0) }
        }
        findings = run.findings
      }
      let parts = RunFolder("\(folder)/parts")
      #expect(try metrics(parts) == metrics(whole))
      #expect(notes == wholeNotes && notes.count == codebooks)
      #expect(findings.count == codebooks && findings.allSatisfy { $0.end == nil })
      for path in [\RunFolder.last, \.best] {
        #expect(try contents(of: parts[keyPath: path]) == contents(of: whole[keyPath: path]))
      }
    }
  }

  @Test("a healthy run has no finding, and its metrics no states")
  func healthy() throws {
    try withTemporaryFolder { folder in
      let run = try train(
        collapsing(["quantizer.kind=ema", "quantizer.init=fan", "quantizer.dimension=8"]),
        in: "\(folder)/run"
      ) { event in
        if case .note(let text) = event { Issue.record("\(text)") }
      }
      let lines = try metrics(run)
      #expect(lines.count == 303 && lines.allSatisfy { !$0.contains("states") })
    }
  }

  @Test("with two codebooks, each has a note and a state of its own")
  func twoCodebooks() throws {
    try withTemporaryFolder { folder in
      var notes: [String] = []
      let run = try train(
        collapsing(["model.architecture=hierarchical"]), in: "\(folder)/run"
      ) { event in
        if case .note(let text) = event { notes.append(text) }
      }
      let last = try #require(try metrics(run).last { !$0.contains("split") })
      for name in ["quantizer_top", "quantizer_bottom"] {
        #expect(notes.count { $0.contains("codebook \(name) has collapsed") } == 1, "\(notes)")
        #expect(last.contains("\"\(name): collapsed\""), "\(last)")
      }
      struct Line: Decodable {
        struct Latent: Decodable {
          let name: String
          let scaleRatio: Double
          let commitmentLoss: Double
        }
        let latents: [Latent]
        let commitmentLoss: Double
      }
      let line = try JSONDecoder().decode(Line.self, from: Data(last.utf8))
      #expect(line.latents.map(\.name) == ["quantizer_top", "quantizer_bottom"])
      let sum = line.latents.reduce(0) { $0 + $1.commitmentLoss }
      #expect(abs(sum / line.commitmentLoss - 1) < 1e-5)
    }
  }

  @Test("the advice names fields that the configuration has, and that are not set so already")
  func advice() throws {
    func note(_ settings: [String]) throws -> String {
      try withTemporaryFolder { folder in
        var result = ""
        try train(smallConfiguration(settings), in: "\(folder)/run") { event in
          if case .note(let text) = event { result = text }
        }
        return result
      }
    }
    // A loss that does not move the codebook, and a learning rate so small that no vector moves either.
    let still = [
      "training.learning_rate=1e-12", "quantizer.init=normal", "quantizer.dimension=64",
      "training.batch_size=8", "training.steps=250",
    ]
    let vq = try note(still + ["quantizer.kind=vq"])
    #expect(vq.contains("quantizer.kind=ema"), "\(vq)")
    let ema = try note(still + ["quantizer.kind=ema"])
    #expect(!ema.contains("quantizer.kind=ema") && ema.contains("a smaller quantizer.dimension"))
    // Whatever is named has to be a field.
    for match in (vq + ema).matches(of: /\b(quantizer|training)\.[a-z_]+/) {
      #expect(Configuration.fields.contains { $0.name == match.output.0 }, "\(match.output.0)")
    }
  }
}
