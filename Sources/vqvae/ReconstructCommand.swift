import ArgumentParser
import Datasets
import Diagnostics
import Files
import Images
import Models
import Runtime
import TerminalText
import Training

struct ReconstructCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconstruct",
    abstract: "Writes a PNG picture of original images above their reconstructions.")

  @OptionGroup var model: ModelArguments

  @Option(help: "The split of the images.")
  var split = SplitName.test

  @Option(help: ArgumentHelp("Number of images, from the start of the split.", valueName: "n"))
  var count = 64

  @Option(help: ArgumentHelp("Scale factor: each pixel becomes n×n pixels.", valueName: "n"))
  var scale = 2

  @Option(
    help: ArgumentHelp("The PNG file to write; its name ends in .png.", valueName: "file"),
    completion: .file(extensions: ["png"]))
  var out: String

  @OptionGroup var threading: ThreadOptions

  func validate() throws {
    guard (1...10_000).contains(count) else {
      throw ValidationError("--count takes a number from 1 to 10000, not \(count).")
    }
    let name = out.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    guard name.lowercased().hasSuffix(".png"), name.count > 4 else {
      throw ValidationError("--out takes the name of a PNG file, which ends in .png, not \(out).")
    }
    guard (1...16).contains(scale) else {
      throw ValidationError("--scale takes a number from 1 to 16, not \(scale).")
    }
  }

  /// 268 million pixels, 800 MB: more than any viewer takes.
  private static let maximumPixels = 1 << 28

  func run() throws {
    let out = try expandedPath(out)
    let (path, checkpoint, images) = try model.load(split)
    let shown = min(count, images.count)
    let image = images.image
    let pixels = 2 * shown * image.height * image.width * scale * scale
    guard pixels <= Self.maximumPixels else {
      throw Problem(
        .usage, "--count \(count) --scale \(scale)", found: "a picture of \(pixels) pixels",
        expected: "at most \(Self.maximumPixels)")
    }
    let result = try Reconstructions(
      of: checkpoint.experiment.model, checkpoint.state.values, on: images,
      at: Array(0..<shown), pool: WorkerPool(threads: threading.threads ?? Processors.allowed))
    func pictures(_ pixels: [[UInt8]]) -> [RGBImage] {
      pixels.map {
        RGBImage(height: image.height, width: image.width, channels: image.channels, pixels: $0)
      }
    }
    let grid = ImageGrid(
      originals: pictures(result.originals), reconstructions: pictures(result.reconstructions))
    let picture = grid.image(magnifiedBy: scale)
    AtomicFile.removeLeftovers(beside: out)
    try picture.writePNG(out)
    Terminal.note(
      "\(visible(path)), step \(checkpoint.state.step): \(counted(shown, "image")) of the "
        + "\(split.rawValue) split, each above its reconstruction")
    try Terminal.result(
      rows: [[out, "\(picture.width)x\(picture.height)"]],
      advice: "The picture has been written to \(out).")
  }
}
