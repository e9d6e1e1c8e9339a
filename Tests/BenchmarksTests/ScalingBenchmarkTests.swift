import Autoencoders
import Autograd
import Benchmarks
import Configurations
import Diagnostics
import Foundation
import Models
import Tensors
import TestSupport
import Testing
import Training

/// Not in parallel with each other: the peak of memory is that of the process.
@Suite("The scaling benchmark", .serialized)
struct ScalingBenchmarkTests {
  private func configuration(_ settings: [String] = []) throws -> Configuration {
    try ConfigurationReader.read(
      yaml: """
        data: {kind: synthetic, side: 16}
        model: {hidden: 16, residual_layers: 1, residual_hidden: 4}
        quantizer: {codebook_size: 24, dimension: 8}
        training: {batch_size: 12}
        """, name: "small.yaml", overrides: settings)
  }

  private var options: ScalingBenchmark.Options {
    var options = ScalingBenchmark.Options()
    options.rounds = 3
    options.steps = 1
    options.isQuick = true
    return options
  }

  @Test("every axis has the base configuration and others, by ascending value")
  func structure() throws {
    var doing: [String] = []
    let report = try ScalingBenchmark(configuration(), threads: 2).run(options) { doing.append($0) }
    #expect(
      report.axes.map(\.field) == [
        "training.batch_size", "data.side", "quantizer.codebook_size", "quantizer.dimension",
        "model.hidden",
      ])
    let bases = [12, 16, 24, 8, 16]
    for (axis, base) in zip(report.axes, bases) {
      #expect(axis.rows.count >= 3, "\(axis.field)")
      #expect(axis.rows.map(\.value) == Set(axis.rows.map(\.value)).sorted())
      #expect(axis.rows.filter { $0.exponents == nil }.map(\.value) == [base])
      for row in axis.rows {
        #expect(row.size == (axis.field == "data.side" ? row.value * row.value : row.value))
        for ratio in [row.ratios.step, row.ratios.encode, row.ratios.memory] { #expect(ratio > 0) }
        if let exponents = row.exponents {
          let relative = Double(row.size) / Double(axis.field == "data.side" ? base * base : base)
          #expect(abs(pow(relative, exponents.step) - row.ratios.step) < 1e-9 * row.ratios.step)
        } else {
          #expect(row.ratios.step == 1 && row.ratios.multiplyAdds == 1)
        }
      }
    }
    #expect(report.rounds == 3 && report.threads == 2 && report.verification == nil)
    #expect(doing.contains { $0.hasPrefix("round 3 of 3, configuration 1 of ") })
  }

  @Test(
    "the work of every row is that of its configuration",
    arguments: ["vq", "ema", "fsq", "lfq"])
  func work(kind: String) throws {
    let kind = "quantizer.kind=\(kind)"
    let report = try ScalingBenchmark(configuration([kind]), threads: 1).run(options)
    for axis in report.axes {
      for row in axis.rows {
        let configuration = try configuration([kind, "\(axis.field)=\(row.value)"])
        let image = configuration.data.image
        let model = try VQVAE(
          configuration, ImageFacts(image: image, trainingCount: 1, variance: 1))
        let work = ModelWork(
          of: model, ParameterValues(initial: model.parameters, seed: 1), image: image)
        let batch = configuration.training.batchSize
        #expect(2 * row.cost.multiplyAddsPerStep == work.flopPerImage * batch)
        #expect(
          row.cost.secondsPerStepAndImage == row.cost.secondsPerStep.median / Double(batch))
        // Values, both moments and gradients of the trained parameters at least.
        let parameters = model.parameters.filter { $0.role == .trained }.reduce(0) {
          $0 + $1.shape.count
        }
        #expect(
          row.cost.memoryBytes > 4 * 4 * parameters, "\(axis.field) \(row.value)")
      }
    }
  }

  @Test("work is proportional to batch and pixels")
  func proportions() throws {
    let report = try ScalingBenchmark(configuration(), threads: 1).run(options)
    for axis in report.axes.prefix(2) {
      for row in axis.rows {
        guard let exponents = row.exponents else { continue }
        #expect(abs(exponents.multiplyAdds - 1) < 1e-9, "\(axis.field) \(row.value)")
      }
    }
  }

  @Test("an axis that the architecture lacks is left out, and so is a size that it cannot take")
  func otherArchitecture() throws {
    let strided = try ConfigurationReader.read(
      yaml: "{model: {architecture: strided}, data: {side: 32}, training: {batch_size: 4}}",
      name: "strided.yaml", overrides: ["quantizer.codebook_size=16", "quantizer.dimension=4"])
    var options = options
    options.rounds = 1
    let report = try ScalingBenchmark(strided, threads: 1).run(options)
    #expect(!report.axes.map(\.field).contains("model.hidden"))
    for row in report.axes.first(where: { $0.field == "data.side" })?.rows ?? [] {
      #expect(strided.model.takes(ImageShape(height: row.value, width: row.value, channels: 3)))
    }
  }

  @Test("images from files are refused, with the way to go on")
  func files() throws {
    let configuration = try ConfigurationReader.read(
      yaml: "data: {kind: cifar10, root: nowhere}", name: "files.yaml", overrides: [])
    let problem = #expect(throws: Problem.self) {
      _ = try ScalingBenchmark(configuration, threads: 1)
    }
    #expect(problem?.status == .badConfiguration)
    #expect(problem?.advice?.contains("--set data.kind=synthetic") ?? false)
  }
}
