import Autoencoders
import Datasets
import Glibc
import Models
import NN
import Quantizers
import Runtime
import Tensors
import TestSupport
import Testing
import Training

@Suite("Evaluation")
struct EvaluationTests {
  private let experiment: Experiment<VQVAE>
  private let state: TrainingState
  private let dataset: Dataset<VQVAE>

  init() throws {
    // 300 images, 27 of them held out: three whole shards of eight and one of three.
    let configuration = try smallConfiguration(
      "data.validation=0.09", "training.learning_rate=0.01")
    dataset = try VQVAE.open(configuration)
    experiment = try Experiment<VQVAE>(configuration, dataset.facts)
    var state = TrainingState(experiment)
    let pool = WorkerPool(threads: 2)
    for step in 0..<5 {
      _ = try state.advance(
        on: Array((step * 50)..<(step * 50 + 50)), of: dataset.train, in: experiment, pool: pool)
    }
    self.state = state
  }

  private func evaluate(threads: Int = 2) throws -> Evaluation {
    try #require(
      try Evaluation(
        of: experiment.model, state.values, on: dataset.validation,
        pool: WorkerPool(threads: threads)))
  }

  /// N6, N7: images one by one in plain Double arithmetic. A mean of batches' means, a dropped last
  /// batch, or one of the two PSNRs in place of the other would show.
  @Test("agrees with a naive evaluation, image by image")
  func naive() throws {
    let found = try evaluate()
    #expect(found.count == 27)
    var (mse, clamped, psnr) = (0.0, 0.0, 0.0)
    var usage = CodebookUsage("quantizer", codewords: 24)
    for position in 0..<27 {
      let image = try dataset.validation.images(at: [position], paddedTo: 16)
      let (output, codes) = experiment.model.reconstruct(image, state.values)
      let pixels = 32 * 32 * 3
      var (error, cut) = (0.0, 0.0)
      for (x, y) in zip(image.elements, output.elements).prefix(pixels) {
        error += (Double(y) - Double(x)) * (Double(y) - Double(x)) / Double(pixels)
        let limited = min(max(Double(y), -0.5), 0.5)
        cut += (limited - Double(x)) * (limited - Double(x)) / Double(pixels)
      }
      mse += error / 27
      clamped += cut / 27
      psnr += -10 * log10(cut) / 27
      usage += CodebookUsage(
        "quantizer", codewords: 24, codes: codes[0], validCount: codes[0].count / 16)
    }
    // The differences of Float numbers are exact in double precision here, and their sums come in
    // another order.
    #expect(abs(found["mse"] / mse - 1) < 1e-12)
    #expect(abs(found["nmse"] / (mse / experiment.facts.variance) - 1) < 1e-12)
    #expect(abs(found["mseClamped"] / clamped - 1) < 1e-12)
    #expect(abs(found["psnrPerImage"] - psnr) < 1e-9)
    #expect(abs(found["psnr"] + 10 * log10(clamped)) < 1e-9)
    #expect(found["psnr"] < found["psnrPerImage"])
    #expect(found.measurements.usage == [usage])
  }

  @Test("gives the same numbers for any number of threads")
  func threads() throws {
    let one = try evaluate(threads: 1)
    for threads in [2, 3, 4] {
      let other = try evaluate(threads: threads)
      #expect(other["mse"] == one["mse"] && other["psnrPerImage"] == one["psnrPerImage"])
      #expect(other.measurements.usage == one.measurements.usage)
    }
  }

  @Test("gives no result if it is stopped")
  func stopped() throws {
    let result = try Evaluation(
      of: experiment.model, state.values, on: dataset.validation,
      pool: WorkerPool(threads: 2), shouldStop: { true })
    #expect(result == nil)
  }
}
