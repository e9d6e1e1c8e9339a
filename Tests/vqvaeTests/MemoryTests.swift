import Files
import Foundation
import TestSupport
import Testing

/// A run that needs more memory than is available ends at once, with status 71 and a one-line message.
@Suite("Memory limits", .timeLimit(.minutes(5)))
struct MemoryTests {
  /// Runs the program under `ulimit -v`.
  private func run(
    _ arguments: [String], kibibytes: Int, in folder: String
  ) throws -> (status: Int32, errors: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments =
      ["-c", "ulimit -v \(kibibytes); exec \"$0\" \"$@\"", programPath] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let errors = folder + "/err.txt"
    try AtomicFile.write(errors, text: "")
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle(forWritingAtPath: errors)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    let status =
      process.terminationReason == .exit
      ? process.terminationStatus : 128 + process.terminationStatus
    return (status, try readText(errors, limit: 1 << 20))
  }

  @Test(
    "a run that is too large is refused with the memory it needs, before anything is created",
    arguments: [
      ["data.images=1000000"], ["quantizer.codebook_size=1048576", "quantizer.dimension=4096"],
      ["model.hidden=4096", "model.residual_hidden=4096"],
    ])
  func tooLarge(sets: [String]) throws {
    try withTemporaryFolder { folder in
      let arguments = ["train", "--config", smokeConfiguration, "--run", "run", "--threads", "1"]
      let result = try run(
        arguments + sets.flatMap { ["--set", $0] }, kibibytes: 1_200_000, in: folder)
      #expect(result.status == 71, "\(result.errors)")
      #expect(result.errors.contains("memory: training needs at least "), "\(result.errors)")
      #expect(result.errors.contains("GB"), "\(result.errors)")
      #expect(try !fileExists(folder + "/run"))
    }
  }

  /// OpenBLAS repeats a refused mmap for ever, and Swift, Foundation and libyaml abort.
  @Test(
    "under any limit the program works or reports lack of memory; it neither hangs nor crashes")
  func ladder() throws {
    try withRun { folder in
      var seen: Set<Int32> = []
      for kibibytes in stride(from: 60_000, through: 420_000, by: 40_000) {
        let result = try run(["eval", "run", "--threads", "2"], kibibytes: kibibytes, in: folder)
        // Below some size the dynamic linker itself fails, with 127.
        #expect([0, 71, 127].contains(result.status), "\(kibibytes) KiB: \(result.errors)")
        seen.insert(result.status)
      }
      #expect(seen.contains(0) && seen.contains(71))
    }
  }
}
