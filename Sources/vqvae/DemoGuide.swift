import Files
import TerminalText
import Training

/// What the demo tells a newcomer: what to look at, and what to type next.
struct DemoGuide {
  static let images = 50
  static let scale = 2

  private let run: RunFolder

  /// The picture that the demo writes.
  var picture: String { "\(run.path)/demo.png" }

  init(_ run: RunFolder) { self.run = run }

  /// What to look at after the demo.
  ///
  /// - Parameter images: how many are in the picture.
  func show(_ images: Int) {
    Terminal.note("")
    Terminal.note(
      "Look at \(picture): \(counted(images, "test image")), each above its reconstruction from its "
        + "codes. Shapes and colours are kept; stripes and thin lines are blurred, since few codes cannot "
        + "represent them.")
    Terminal.note(
      "nmse is the squared error divided by the variance of the images: 0 is perfect, 1 is no better "
        + "than one grey. perplexity is the effective number of codewords in use.")
    Terminal.note("\(run.path) has config.yaml, metrics.jsonl and checkpoints/.")
    Terminal.note("")
    Terminal.note("Next, the same with another quantizer, to compare:")
    let other = run.path + "-vq"
    command("train", "--config", run.configuration, "--set", "quantizer.kind=vq", "--run", other)
    command("eval", other, "--split", "test")
    // Those of a clone of the repository; an installed program has none.
    let (download, example) = ("scripts/download_cifar10.sh", "configs/cifar10.yaml")
    if (try? fileExists(download)) == true, (try? fileExists(example)) == true {
      Terminal.note("With real images:")
      Terminal.command([download])
      command("train", "--config", example)
    } else {
      Terminal.note("To see whether this machine and a folder of CIFAR-10 are ready:")
      command("doctor")
    }
  }

  /// The commands that do what the demo does after training.
  func showSteps(_ title: String) {
    Terminal.note(title)
    command("eval", run.path, "--split", "test")
    command(
      "reconstruct", run.path, "--count", "\(Self.images)", "--scale", "\(Self.scale)", "--out",
      picture)
  }

  private func command(_ words: String...) {
    Terminal.command([Program.commandName] + words.map { shellWord($0) })
  }
}
