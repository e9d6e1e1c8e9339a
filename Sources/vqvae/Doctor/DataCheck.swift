import Datasets
import Diagnostics
import TerminalText

/// A folder of images.
extension Checks {
  private static let download = "scripts/download_cifar10.sh downloads the official files."

  /// Reads every image, with the checks and messages of training and evaluation.
  static func images(_ folder: String) throws -> Finding {
    var options = CIFAR10.Options()
    options.root = folder
    let training = try DataSection(CIFAR10.self, options).images(seed: 0)
    let batches = try CIFAR10(folder: folder, files: CIFAR10.trainingFiles)
    let value = "\(folder): \(counted(batches.count, "training image"))"
    let fingerprint = ", fingerprint \(training.fingerprint)"
    let test: CIFAR10
    do {
      test = try CIFAR10(folder: folder, files: CIFAR10.testFiles)
      try test.scan()
    } catch let problem as Problem where problem.status == .missingInput {
      return .warning(
        "\(value) but no test images (\(CIFAR10.testFiles[0]))\(fingerprint)",
        advice: "Training works; evaluate with --split validation. " + download)
    }
    let all = "\(value) and \(counted(test.count, "test image"))\(fingerprint)"
    switch (try batches.origin(), try test.origin()) {
    case (.official, .official): return .ok("\(all): CIFAR-10, the official files")
    case (.other, _), (_, .other):
      return .ok("\(all): other images than CIFAR-10's official ones, in its format")
    default:
      return .warning(
        "\(all): a part of CIFAR-10's official images, of 50000 and 10000", advice: download)
    }
  }
}
