import Testing
import Training

/// Fields of the optimizer and of the loss that contradict each other, reported at the field to change.
@Suite("Faults that involve several fields of the optimizer")
struct OptimizerFaultTests {
  static let together = [
    BadYAML(
      "training: {schedule: cosine, steps: 100, warmup_steps: 100}\n", "1:56",
      "warmup_steps: expected fewer than training.steps (100) with training.schedule cosine"),
    BadYAML(
      "training: {schedule: cosine, learning_rate: 1e-3, final_learning_rate: 2e-3}\n", "1:72",
      "final_learning_rate: expected at most training.learning_rate (0.001), found 0.002"),
    BadYAML(
      "training: {final_learning_rate: 1e-5}\n", "1:33",
      "final_learning_rate: expected 0 with training.schedule constant, found 1e-05"),
    BadYAML(
      "training: {steps: 100, warmup_steps: 101}\n", "1:38",
      "warmup_steps: expected at most training.steps (100)"),
    BadYAML(
      "training: {learning_rate: 1e-2, weight_decay: 100}\n", "1:47",
      "weight_decay: expected less than 1 over training.learning_rate (0.01), found 100"),
    BadYAML(
      "quantizer: {kind: ema, weighting: both}\n", "1:35",
      "weighting: belongs to vq, and quantizer.kind is ema; leave it out"),
  ]

  @Test("a field that contradicts another is reported at its place", arguments: together)
  func contradiction(_ bad: BadYAML) { expectFault(bad.text, bad.place, bad.message) }

  @Test(
    "the extreme values that other fields allow are accepted",
    arguments: [
      "training: {schedule: cosine, steps: 100, warmup_steps: 99}\n",
      "training: {schedule: constant, steps: 100, warmup_steps: 100}\n",
      "training: {schedule: cosine, learning_rate: 1e-3, final_learning_rate: 1e-3}\n",
      "training: {learning_rate: 1e-2, weight_decay: 99}\n",
      "quantizer: {kind: vq, weighting: both}\n",
    ])
  func allowed(_ yaml: String) { #expect(faults(yaml) == []) }

  /// A checkpoint does not save the number of steps if the learning rate is constant.
  @Test("the configuration of a checkpoint may have any warm-up")
  func checkpoint() throws {
    let run = try read("training: {steps: 50000, warmup_steps: 20000}\n")
    #expect(faults(run.yaml(.experiment), needsData: false) == [])
  }
}
