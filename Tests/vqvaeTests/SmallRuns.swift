import Files
import Foundation
import TestSupport
import Testing

let smokeConfiguration = packageFolder + "/configs/smoke.yaml"

/// Trains the smoke configuration with a smaller model.
///
/// - Parameter sets: further fields, as `key=value`.
func train(
  _ run: String, _ sets: [String] = [], flags: [String] = ["--threads", "1"], in folder: String,
  whileRunning: (Process) throws -> Void = { _ in }
) throws -> ProgramResult {
  let images = sets.contains("data.kind=cifar10") ? [] : ["data.images=128"]
  let small = ["model.hidden=8", "training.steps=2"] + images
  return try runProgram(
    ["train", "--config", smokeConfiguration, "--run", run] + flags
      + (small + sets).flatMap { ["--set", $0] },
    in: folder, whileRunning: whileRunning)
}

/// Trains a run, which has to succeed, and passes its folder to `body`.
func withRun(_ sets: [String] = [], _ body: (_ folder: String) throws -> Void) throws {
  try withTemporaryFolder { folder in
    let result = try train("run", sets, in: folder)
    try #require(result.status == 0, "\(result.errors)")
    try body(folder)
  }
}

/// Writes CIFAR-10 files with a few records of noise each.
func writeImages(_ folder: String, records: Int = 24, label: UInt8 = 3) throws {
  try createFolder(folder)
  var random = SystemRandomNumberGenerator()
  for name in (1...5).map({ "data_batch_\($0).bin" }) + ["test_batch.bin"] {
    var bytes: [UInt8] = []
    for _ in 0..<records {
      bytes.append(label)
      let brightness = UInt8.random(in: 0..<192, using: &random)
      bytes += (0..<3072).map { _ in brightness + .random(in: 0..<64, using: &random) }
    }
    try write(bytes, to: "\(folder)/\(name)")
  }
}

/// The fields that train on the images of a folder.
func imageSets(_ folder: String) -> [String] { ["data.kind=cifar10", "data.root=\(folder)"] }

/// All files below a folder, with their bytes.
func files(below folder: String) throws -> [String: [UInt8]] {
  var result: [String: [UInt8]] = [:]
  for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
    let path = "\(folder)/\(name)"
    if try !isFolder(path) { result[name] = try contents(of: path) }
  }
  return result
}

/// Parses a text that consists of one JSON object.
func object(_ text: String) throws -> [String: Any] {
  try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}

/// Waits until a running program has written some words to standard error.
///
/// - Parameter folder: the program's working folder, where ``runProgram`` collects its output.
func waitFor(_ words: String, of process: Process, in folder: String) throws {
  let deadline = ContinuousClock.now + .seconds(120)
  while ContinuousClock.now < deadline, process.isRunning {
    if try readText(folder + "/.stderr", limit: 1 << 24).contains(words) { return }
    usleep(5000)
  }
  Issue.record("the program never said \"\(words)\"")
}

/// Expects a status, certain parts in the text of standard error, and no control characters in it.
func expect(
  _ result: ProgramResult, _ status: Int32, _ parts: String...,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expect(
    (result.status, result.output, result.errors), status, parts, sourceLocation: sourceLocation)
}

func expect(
  _ result: (status: Int32, output: String, errors: String), _ status: Int32, _ parts: [String],
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(result.status == status, "\(result.errors)", sourceLocation: sourceLocation)
  for part in parts {
    #expect(result.errors.contains(part), "\(result.errors)", sourceLocation: sourceLocation)
  }
  let controls = (result.errors + result.output).unicodeScalars.filter {
    $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t"
  }
  #expect(controls.isEmpty, "\(result.errors.debugDescription)", sourceLocation: sourceLocation)
}
