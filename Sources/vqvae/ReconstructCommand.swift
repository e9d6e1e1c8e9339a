import ArgumentParser
import Datasets
import Files
import Runtime
import TerminalText

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

  func run() throws {
    let out = try expandedPath(out)
    let trained = try model.load(split)
    let picture = try ReconstructionPicture(
      of: trained, count: count, scale: scale,
      pool: WorkerPool(threads: threading.threads ?? Processors.allowed))
    try picture.write(to: out)
    Terminal.note(
      "\(visible(trained.path)), step \(trained.step): \(counted(picture.count, "image")) of the "
        + "\(split.rawValue) split, each above its reconstruction")
    try picture.report(out)
  }
}
