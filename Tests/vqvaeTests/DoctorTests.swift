import Files
import Foundation
import TestSupport
import Testing

/// `vqvae doctor`: its checks on this machine, under limits, and on good and damaged folders of images.
@Suite("Doctor", .timeLimit(.minutes(5)))
struct DoctorTests {
  private struct Entry: Decodable {
    let name: String
    let state: String
    let value: String
    let advice: String?
  }

  private struct Report: Decodable {
    let checks: [Entry]
  }

  /// The entries of `doctor --json`, by name.
  private func doctor(
    _ arguments: [String] = [], status: Int32 = 0, in folder: String,
    environment: [String: String] = [:], shell: String? = nil
  ) throws -> [String: Entry] {
    let result = try runProgram(
      ["doctor", "--json"] + arguments, in: folder, environment: environment, shell: shell)
    expect(result, status)
    #expect(result.errors.isEmpty, "\(result.errors)")
    let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
    for entry in report.checks {
      #expect((entry.state == "ok") == (entry.advice == nil), "\(entry)")
      #expect(["ok", "warning", "fault"].contains(entry.state))
    }
    // No name occurs twice.
    return Dictionary(uniqueKeysWithValues: report.checks.map { ($0.name, $0) })
  }

  static let names = [
    "memory", "limits", "processor", "kernels", "OpenBLAS", "threads", "folder", "terminal",
    "environment",
  ]

  @Test("there is a line for each check, which begins with its state; nothing is written")
  func lines() throws {
    try withTemporaryFolder { folder in
      let result = try runProgram(["doctor"], in: folder)
      expect(result, 0)
      #expect(result.errors.isEmpty)
      let words = result.output.split(separator: "\n").map { $0.split(separator: " ") }
      #expect(words.map { String($0[1]) } == Self.names)
      for line in words { #expect(["ok", "warning"].contains(line[0]), "\(line)") }
      #expect(try files(below: folder).isEmpty)
    }
  }

  @Test("the JSON has an entry for each check, with the name, state, value and advice")
  func json() throws {
    try withTemporaryFolder { folder in
      let checks = try doctor(in: folder)
      #expect(checks.keys.sorted() == Self.names.sorted())
      #expect(try #require(checks["kernels"]).value.contains("of the reference"))
      #expect(try #require(checks["OpenBLAS"]).value.hasPrefix("OpenBLAS "))
      #expect(try #require(checks["folder"]).value.contains(" free"))
      let raw = try object(try runProgram(["doctor", "--json"], in: folder).output)
      let entries = try #require(raw["checks"] as? [[String: Any]])
      for entry in entries { #expect(entry.keys.sorted() == ["advice", "name", "state", "value"]) }
    }
  }

  @Test("with little address space, limits is a fault with status 71, and nothing hangs or crashes")
  func addressSpace() throws {
    try withTemporaryFolder { folder in
      let checks = try doctor(status: 71, in: folder, shell: "ulimit -v 250000; exec \"$@\"")
      let limits = try #require(checks["limits"])
      #expect(limits.state == "fault")
      #expect(limits.value.hasPrefix("ulimit -v allows 256 MB, of which "), "\(limits)")
      #expect(limits.advice?.contains("ulimit -v unlimited") == true)
      #expect(checks["memory"]?.state == "ok")
      #expect(checks["kernels"]?.state == "warning")
    }
  }

  @Test("with a limit on the size of files, limits is a fault with status 74")
  func fileSize() throws {
    try withTemporaryFolder { folder in
      let small = try doctor(status: 74, in: folder, shell: "ulimit -f 1000; exec \"$@\"")
      #expect(small["limits"]?.value == "ulimit -f allows files of 1.0 MB")
      let large = try doctor(in: folder, shell: "ulimit -f 100000; exec \"$@\"")
      #expect(large["limits"]?.state == "warning")
    }
  }

  @Test("a single allowed processor is a warning", .enabled(if: hasSeveralProcessors))
  func affinity() throws {
    try withTemporaryFolder { folder in
      let threads = try #require(
        try doctor(in: folder, shell: "exec taskset -c 0 \"$@\"")["threads"])
      #expect(threads.state == "warning")
      #expect(threads.value.hasPrefix("1 of "), "\(threads)")
      #expect(threads.value.contains("affinity mask of 1"))
    }
  }

  private static let hasSeveralProcessors = ProcessInfo.processInfo.activeProcessorCount > 1

  @Test("a core type that is prescribed, and a number of threads that is none, are warnings")
  func environment() throws {
    try withTemporaryFolder { folder in
      let sane = try doctor(
        in: folder, environment: ["OPENBLAS_NUM_THREADS": "4", "HOME": "/root"])
      #expect(sane["environment"]?.state == "ok")
      #expect(sane["environment"]?.value.contains("OPENBLAS_NUM_THREADS=4") == true)
      for value in ["abc", "0", "-1", "2x"] {
        let checks = try doctor(in: folder, environment: ["OPENBLAS_NUM_THREADS": value])
        #expect(checks["environment"]?.state == "warning", "\(value)")
      }
      let core = try doctor(in: folder, environment: ["OPENBLAS_CORETYPE": "Prescott"])
      #expect(core["OpenBLAS"]?.state == "warning")
      #expect(core["OpenBLAS"]?.value.contains("OPENBLAS_CORETYPE=Prescott") == true)
      let home = try doctor(in: folder, environment: ["HOME": "here"])
      #expect(home["environment"]?.state == "warning")
    }
  }

  @Test("a current folder in which nothing can be created is a fault with status 73 or 74")
  func folder() throws {
    try withTemporaryFolder { folder in
      let result = try runProgram(["doctor"], in: folder, shell: "cd /proc && exec \"$@\"")
      #expect([73, 74].contains(result.status))
      #expect(result.output.contains("\nfault    folder "), "\(result.output)")
    }
  }

  // MARK: Data

  @Test("a folder of images is ok, with the numbers of images and the fingerprint of a checkpoint")
  func images() throws {
    try withTemporaryFolder { folder in
      try writeImages(folder + "/images")
      let data = try #require(try doctor(["images"], in: folder)["data"])
      #expect(data.state == "ok")
      #expect(data.value.hasPrefix("images: 120 training images and 24 test images, "), "\(data)")
      #expect(data.value.contains("other images than CIFAR-10's"))
      expect(try train("run", imageSets("images"), in: folder), 0)
      let checkpoint = try SafetensorsFile(folder + "/run/checkpoints/last.safetensors")
      let fingerprint = try #require(checkpoint.metadata["vqvae.data_fingerprint"])
      #expect(data.value.contains("fingerprint \(fingerprint)"))
    }
  }

  @Test("without test images, a folder is a warning")
  func withoutTest() throws {
    try withTemporaryFolder { folder in
      try writeImages(folder + "/images")
      try FileManager.default.removeItem(atPath: folder + "/images/test_batch.bin")
      let data = try #require(try doctor(["images"], in: folder)["data"])
      #expect(data.state == "warning")
      #expect(data.value.contains("no test images"))
    }
  }

  /// What is wrong with a folder, and the exit code.
  static let damages: [(status: Int32, damage: @Sendable (String) throws -> Void)] = [
    (66, { try FileManager.default.removeItem(atPath: $0) }),
    (66, { try FileManager.default.removeItem(atPath: $0 + "/data_batch_3.bin") }),
    (65, { try write([UInt8](repeating: 1, count: 5000), to: $0 + "/data_batch_2.bin") }),
    (65, { try write([UInt8](repeating: 11, count: 3073), to: $0 + "/data_batch_5.bin") }),
    (65, { try write([UInt8](repeating: 11, count: 3073), to: $0 + "/test_batch.bin") }),
    (
      65,
      { folder in
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
          try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        try AtomicFile.write(folder + "/data_batch_1", text: "")
      }
    ),
  ]

  @Test("a damaged folder is a fault, with the status and message of training or evaluation")
  func damaged() throws {
    for (n, (status, damage)) in Self.damages.enumerated() {
      try withTemporaryFolder { folder in
        try writeImages(folder + "/images")
        expect(try train("run", imageSets("images"), in: folder), 0)
        try damage(folder + "/images")
        let data = try #require(try doctor(["images"], status: status, in: folder)["data"])
        #expect(data.state == "fault", "\(n)")
        var result = try train("other", imageSets("images"), in: folder)
        if result.status == 0 {
          result = try runProgram(["eval", "run", "--split", "test"], in: folder)
        }
        expect(result, status, "vqvae: error: \(data.value)\n", try #require(data.advice))
      }
    }
  }

  @Test("a fault of the machine decides the exit code before one of the data")
  func worst() throws {
    try withTemporaryFolder { folder in
      let checks = try doctor(
        ["nowhere"], status: 74, in: folder, shell: "ulimit -f 1000; exec \"$@\"")
      #expect(checks["data"]?.state == "fault")
    }
  }

  @Test("the official files are recognized", .enabled(if: realImages != nil))
  func official() throws {
    try withTemporaryFolder { folder in
      let images = try #require(realImages)
      let data = try #require(try doctor([images], in: folder)["data"])
      #expect(data.state == "warning")
      #expect(data.value.contains("a part of CIFAR-10's official images"), "\(data)")
    }
  }
}
