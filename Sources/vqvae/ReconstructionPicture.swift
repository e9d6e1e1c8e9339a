import Diagnostics
import Files
import Images
import Models
import Runtime
import Training

/// The first images of a split, each above its reconstruction.
struct ReconstructionPicture {
  /// 268 million pixels, 800 MB: more than any viewer takes.
  private static let maximumPixels = 1 << 28

  /// The number of images; fewer than were asked for if the split has fewer.
  let count: Int
  private let picture: RGBImage

  /// - Parameter scale: each pixel becomes scale×scale pixels.
  init(of trained: TrainedModel, count: Int, scale: Int, pool: WorkerPool) throws {
    let shown = min(count, trained.images.count)
    let image = trained.images.image
    let pixels = 2 * shown * image.height * image.width * scale * scale
    guard pixels <= Self.maximumPixels else {
      throw Problem(
        .usage, "--count \(count) --scale \(scale)", found: "a picture of \(pixels) pixels",
        expected: "at most \(Self.maximumPixels)")
    }
    let checkpoint = trained.checkpoint
    let result = try Reconstructions(
      of: checkpoint.experiment.model, checkpoint.state.values, on: trained.images,
      at: Array(0..<shown), pool: pool)
    func pictures(_ pixels: [[UInt8]]) -> [RGBImage] {
      pixels.map {
        RGBImage(height: image.height, width: image.width, channels: image.channels, pixels: $0)
      }
    }
    let grid = ImageGrid(
      originals: pictures(result.originals), reconstructions: pictures(result.reconstructions))
    self.count = shown
    picture = grid.image(magnifiedBy: scale)
  }

  /// Writes a PNG file, whole or not at all.
  func write(to path: String) throws {
    AtomicFile.removeLeftovers(beside: path)
    try picture.writePNG(path)
  }

  /// Prints the path and size of the file that was written.
  func report(_ path: String) throws {
    try Terminal.result(
      rows: [[path, "\(picture.width)x\(picture.height)"]],
      advice: "The picture has been written to \(path).")
  }
}
