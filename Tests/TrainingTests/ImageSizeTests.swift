import Autoencoders
import Configurations
import Diagnostics
import Files
import Foundation
import Models
import NN
import Quantizers
import Runtime
import Tensors
import TestSupport
import Testing
import Training

/// Images of 64×64 from the start of a run to its picture, with two levels of codes.
@Suite("Images of another size")
struct ImageSizeTests {
  private func configuration(_ settings: String...) throws -> Configuration {
    try configuration(settings)
  }

  private func configuration(_ settings: [String]) throws -> Configuration {
    try smallConfiguration(
      ["model.architecture=hierarchical", "data.side=64", "data.images=100"] + settings)
  }

  /// The kinds with one code at a position with which eight channels learn in 60 steps at so high a rate.
  @Test(
    "a run of 64×64 learns, and its checkpoint knows the size", arguments: ["vq", "ema", "fsq"])
  func learns(kind: String) throws {
    let start = ["vq", "ema"].contains(kind) ? ["quantizer.init=uniform"] : []
    let configuration = try configuration(
      start + [
        "quantizer.kind=\(kind)", "training.steps=60", "training.learning_rate=0.01",
        "training.validate_every=30",
      ])
    try withTemporaryFolder { folder in
      var nmse: [Double] = []
      var usage: [[CodebookUsage]] = []
      let run = try train(configuration, in: folder + "/run") { event in
        switch event {
        case .step(_, let metrics, _): nmse.append(metrics["nmse"]!)
        case .validation(_, let evaluation, _): usage.append(evaluation.measurements.usage)
        case .saved, .note: break
        }
      }
      #expect(nmse.count == 60)
      let (first, last) = (nmse.prefix(5).reduce(0, +), nmse.suffix(5).reduce(0, +))
      #expect(last < 0.85 * first, "\(nmse)")
      // Ten images are held out, of 8×8 codes above and 16×16 below.
      #expect(usage.map { $0.map(\.total) } == [[640, 2560], [640, 2560]])

      let checkpoint = try Checkpoint<VQVAE>(run.last)
      #expect(checkpoint.experiment.facts.image == ImageShape(height: 64, width: 64, channels: 3))
      let images = try checkpoint.experiment.configuration.data.split(
        .test, seed: checkpoint.experiment.configuration.seed)
      #expect(images.image == checkpoint.experiment.facts.image)
      let pictures = try Reconstructions(
        of: checkpoint.experiment.model, checkpoint.state.values, on: images, at: [0, 1, 2],
        pool: WorkerPool(threads: 2))
      #expect(pictures.reconstructions.map(\.count) == [Int](repeating: 64 * 64 * 3, count: 3))
      #expect(Set(pictures.reconstructions).count == 3)
    }
  }

  @Test("the same bytes for 1, 2 and 4 threads, and for a run that is resumed")
  func deterministic() throws {
    let (whole, part) = (
      try configuration("training.steps=6", "training.validate_every=3"),
      try configuration("training.steps=3", "training.validate_every=3")
    )
    try withTemporaryFolder { folder in
      let runs = try [1, 2, 4].map {
        try contents(of: train(whole, in: "\(folder)/\($0)", threads: $0).last)
      }
      #expect(runs[0] == runs[1] && runs[0] == runs[2])
      try train(part, in: folder + "/parts")
      let resumed = try train(whole, in: folder + "/parts", resume: true)
      #expect(try contents(of: resumed.last) == runs[0])
    }
  }

  @Test("a run is not resumed with images of another size")
  func resumedWithAnother() throws {
    try withTemporaryFolder { folder in
      try train(configuration("training.steps=1"), in: folder + "/run")
      var other = try configuration("training.steps=2")
      other.data[field: "side"] = .integer(32)
      let error = try #require(throws: ConfigurationError.self) {
        try train(other, in: folder + "/run", resume: true)
      }
      #expect(error.faults.count == 1)
      #expect(
        error.description.contains(
          "the run has data.side: 64, the configuration 32; a resumed run keeps it"))
    }
  }

  /// The weights would fit images of any size, so nothing else would notice.
  @Test("a checkpoint whose image shape contradicts its configuration is not resumed")
  func contradictory() throws {
    let configuration = try configuration("training.steps=1")
    try withTemporaryFolder { folder in
      let run = try train(configuration, in: folder + "/run")
      let file = try SafetensorsFile(run.last)
      var metadata = file.metadata
      #expect(metadata["vqvae.image_shape"] == "64x64x3")
      metadata["vqvae.image_shape"] = "32x64x3"
      try Safetensors.write(
        run.last, metadata: metadata,
        items: try file.entries.map {
          .init(name: $0.key, shape: $0.value.shape, elements: try file.elements($0.key))
        })
      try FileManager.default.removeItem(atPath: run.best)
      let problem = try #require(throws: Problem.self) {
        try train(configuration, in: run.path, resume: true)
      }
      #expect(problem.status == .badData)
      #expect(
        problem.description.contains("vqvae.image_shape is \"32x64x3\"; expected 64x64x3"),
        "\(problem.description)")
    }
  }

  @Test("a size that the architecture cannot take is an error before anything is written")
  func impossible() throws {
    let configuration = try configuration("data.side=60")
    try withTemporaryFolder { folder in
      let problem = try #require(throws: Problem.self) {
        try train(configuration, in: folder + "/run")
      }
      #expect(problem.status == .badConfiguration)
      #expect(problem.description.contains("the images are 60×60"))
      #expect(problem.description.contains("multiples of 8"))
      #expect(try !fileExists(folder + "/run"))
    }
  }
}

/// What a run logs for several codebooks.
@Suite("The metrics of two codebooks")
struct CodebookMetricsTests {
  private struct Line: Decodable {
    struct Codebook: Decodable {
      let name: String
      let perplexity: Double
      let codesUsed: Int
    }

    let split: String?
    let perplexity: Double?
    let codesUsed: Int
    let codebooks: [Codebook]?
  }

  private func lines(_ settings: String...) throws -> [Line] {
    try withTemporaryFolder { folder in
      let run = try train(
        smallConfiguration(["training.steps=2"] + settings), in: folder + "/run")
      return try readText(run.metrics, limit: 1 << 20).split(separator: "\n").map {
        try JSONDecoder().decode(Line.self, from: Data($0.utf8))
      }
    }
  }

  @Test("steps and validations log each codebook by name, and codesUsed is the sum")
  func several() throws {
    let lines = try lines("model.architecture=hierarchical", "quantizer.init=normal")
    #expect(lines.map(\.split) == [nil, nil, "validation"])
    for line in lines {
      let codebooks = try #require(line.codebooks)
      #expect(codebooks.map(\.name) == ["quantizer_top", "quantizer_bottom"])
      #expect(line.perplexity == nil)
      #expect(line.codesUsed == codebooks.reduce(0) { $0 + $1.codesUsed })
      for codebook in codebooks {
        #expect((1...24).contains(codebook.codesUsed))
        #expect(
          codebook.perplexity >= 1 && codebook.perplexity <= Double(codebook.codesUsed) + 1e-9)
      }
      // The two codebooks differ, so it is not one of them twice.
      #expect(codebooks[0].perplexity != codebooks[1].perplexity)
    }
  }

  @Test("with one codebook the keys are not in a list")
  func one() throws {
    for line in try lines() {
      #expect(line.codebooks == nil)
      #expect(try #require(line.perplexity) >= 1)
    }
  }
}
