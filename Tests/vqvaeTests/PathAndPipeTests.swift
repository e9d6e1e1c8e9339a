import Files
import Foundation
import TestSupport
import Testing

/// Configurations from pipes, and paths that begin with `~/`.
@Suite("Pipes and paths", .timeLimit(.minutes(5)))
struct PathAndPipeTests {
  /// Runs a shell command, in which `$vqvae` is the program.
  private func shell(_ line: String, in folder: String) throws -> (status: Int32, errors: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "(\(line)) 2>errors >output"]
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["vqvae": programPath, "HOME": folder + "/home"]) { $1 }
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, try readText(folder + "/errors", limit: 1 << 20))
  }

  private let small =
    "--set model.hidden=8 --set data.images=128 --set training.steps=2 --threads 1"

  @Test("a configuration can be read from standard input, and has to name its run folder")
  func standardInput() throws {
    try withTemporaryFolder { folder in
      for name in ["-", "/dev/stdin"] {
        let named = try shell(
          "cat '\(smokeConfiguration)' | \"$vqvae\" train --config \(name) --run 'r\(name.count)' \(small)",
          in: folder)
        #expect(named.status == 0, "\(named.errors)")
        #expect(try fileExists("\(folder)/r\(name.count)/config.yaml"))
        let nameless = try shell("echo 'seed: 1' | \"$vqvae\" train --config \(name)", in: folder)
        #expect(nameless.status == 78)
        #expect(nameless.errors.contains("output.folder: expected the run folder"))
      }
      let wrong = try shell("echo 'seed: x' | \"$vqvae\" bench --config -", in: folder)
      #expect(wrong.status == 78)
      #expect(wrong.errors.hasPrefix("standard input:1:7: error: seed:"))
      let endless = try shell("yes | \"$vqvae\" bench --config -", in: folder)
      #expect(endless.status == 78 && endless.errors.contains("more than 65536 bytes"))
      let device = try shell("\"$vqvae\" train --config - </dev/zero", in: folder)
      #expect(device.status == 78 && device.errors.contains("standard input: this is a device"))
    }
  }

  @Test(
    "~/ is the home folder in a configuration and after an equals sign; no folder ~ is created")
  func home() throws {
    try withTemporaryFolder { folder in
      try createFolder(folder + "/home")
      try AtomicFile.write(folder + "/home/c.yaml", text: "output: {folder: ~/a}\n")
      for options in ["", "--run=~/b", "--set output.folder=~/c"] {
        let result = try shell("\"$vqvae\" train --config=~/c.yaml \(options) \(small)", in: folder)
        #expect(result.status == 0, "\(result.errors)")
      }
      let picture = try shell("\"$vqvae\" reconstruct home/b --count 2 --out=~/p.png", in: folder)
      #expect(picture.status == 0, "\(picture.errors)")
      for name in ["a/config.yaml", "b/config.yaml", "c/config.yaml", "p.png"] {
        #expect(try fileExists("\(folder)/home/\(name)"), "\(name)")
      }
      #expect(try !fileExists(folder + "/~"))
      for option in ["--run='~bob/x'", "--run='$HOME/x'", "--config='$HOME/c.yaml'"] {
        let result = try shell("\"$vqvae\" train --config home/c.yaml \(option)", in: folder)
        #expect(result.status == 64 && result.errors.contains("a path that is written out"))
      }
    }
  }
}
