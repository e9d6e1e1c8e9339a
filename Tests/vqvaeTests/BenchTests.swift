import Files
import Foundation
import Kernels
import TestSupport
import Testing

@Suite("bench", .timeLimit(.minutes(5)))
struct BenchTests {
  private static let small = ["--config", smokeConfiguration, "--steps", "4", "--warmup", "1"]

  private static let keys: Set<String> = [
    "kernelSet", "batch", "threads", "steps", "secondsPerStep", "split", "imagesPerSecond",
    "secondsPerEncode",
    "encodeImagesPerSecond", "sgemmPeakOneThread", "sgemmPeak", "sgemmPeakMedian",
    "sgemmPeakRounds", "blasCore", "flopPerStep", "fractionOfPeak", "firstStepSeconds",
    "peakAnonymousBytes", "peakResidentBytes", "pageFaultsPerStep", "anonymousGrowth",
    "verification",
  ]

  /// Keys that are null with `--quick`.
  private static let skipped: Set<String> = [
    "sgemmPeakOneThread", "sgemmPeak", "sgemmPeakMedian", "sgemmPeakRounds", "fractionOfPeak",
    "verification",
  ]

  @Test("--json prints only one object, with every key, and no file is written")
  func json() throws {
    try withTemporaryFolder { folder in
      let result = try runProgram(
        ["bench"] + Self.small + ["--batch", "40", "--threads", "2", "--kernels", "--json"],
        in: folder)
      expect(result, 0)
      #expect(result.errors.isEmpty)
      #expect(try files(below: folder).isEmpty)
      let report = try object(result.output)
      #expect(Set(report.keys) == Self.keys.union(["kernels"]))
      #expect(!report.values.contains { $0 is NSNull })
      #expect(report["batch"] as? Int == 40)
      #expect(report["threads"] as? Int == 2)
      #expect(report["steps"] as? Int == 4)

      func number(_ key: String, _ inner: String? = nil) throws -> Double {
        let value = inner.map { (report[key] as? [String: Any])?[$0] } ?? report[key]
        return try #require(value as? Double, "\(key) \(inner ?? "")")
      }
      let median = try number("secondsPerStep", "median")
      #expect(try number("secondsPerStep", "best") <= median)
      #expect(try abs(number("imagesPerSecond") - 40 / median) < 1e-6)
      #expect(
        try number("secondsPerEncode", "best") <= number("secondsPerEncode", "median"))
      for part in ["data", "forward", "quantizer", "backward", "optimizer"] {
        #expect(try number("split", part) >= 0 && number("split", part) < median, "\(part)")
      }
      let speed = try number("flopPerStep") * 1e-9 / median
      #expect(try abs(number("fractionOfPeak") - speed / number("sgemmPeak")) < 1e-9)
      #expect(try number("sgemmPeakMedian") <= number("sgemmPeak"))
      #expect((report["sgemmPeakRounds"] as? [Double])?.max() == (try number("sgemmPeak")))
      #expect(try number("firstStepSeconds") > 0 && number("firstStepSeconds") < 60)
      #expect(try number("peakResidentBytes") >= number("peakAnonymousBytes"))
      #expect(try number("peakAnonymousBytes") > 1e6)
      let error = try number("verification", "largestError")
      #expect(try error >= 0 && error <= number("verification", "tolerance"))

      let kernels = try #require(report["kernels"] as? [[String: Any]])
      #expect(kernels.count == (try Int(number("verification", "convolutions"))) + 2)
      for kernel in kernels {
        let name = try #require(kernel["name"] as? String)
        let uses = try #require(kernel["uses"] as? [String])
        #expect(!uses.isEmpty, "\(name)")
        let fraction = kernel[name == "Adam" ? "fractionOfBandwidth" : "fractionOfPeak"]
        #expect(try #require(fraction as? Double) > 0, "\(name)")
      }
    }
  }

  @Test("--quick skips the verification and the peak, whose keys are null")
  func quick() throws {
    try withTemporaryFolder { folder in
      let result = try runProgram(["bench"] + Self.small + ["--quick", "--json"], in: folder)
      expect(result, 0)
      let report = try object(result.output)
      #expect(Set(report.keys) == Self.keys)
      #expect(Set(report.filter { $0.value is NSNull }.keys) == Self.skipped)
    }
  }

  @Test("without --json a table is printed, and standard error names the configuration")
  func table() throws {
    try withTemporaryFolder { folder in
      let result = try runProgram(
        ["bench"] + Self.small + ["--threads", "1", "--quick"], in: folder)
      expect(result, 0)
      #expect(
        result.errors.hasPrefix(
          "\(smokeConfiguration): synthetic, residual (preset zalando, hidden 16, "
            + "residual_layers 1, residual_hidden 8), quantizer vq, \(KernelSet.current) kernels"))
      #expect(result.errors.split(separator: "\n").count == 1)
      #expect(result.output.hasPrefix("kernels        \(KernelSet.current)\nstep           "))
      #expect(result.output.contains("20 images, 1 thread, 4 steps\n"))
      for row in ["  data", "  backward", "training", "encoding", "FLOP", "memory", "page faults"] {
        #expect(result.output.contains("\n\(row)  "), "\(row)")
      }
      #expect(!result.output.contains("sgemm"))
    }
  }

  @Test("--scaling measures configurations in which one value is changed, and writes no file")
  func scaling() throws {
    try withTemporaryFolder { folder in
      let scaling = [
        "bench", "--config", smokeConfiguration, "--scaling", "--steps", "1", "--threads", "2",
        "--set", "data.side=16",
      ]
      let json = try runProgram(scaling + ["--json"], in: folder)
      expect(json, 0)
      #expect(json.errors.isEmpty)
      let report = try object(json.output)
      #expect(
        Set(report.keys)
          == ["axes", "base", "kernelSet", "rounds", "spread", "threads", "verification"])
      let verification = try #require(report["verification"] as? [String: Any])
      #expect(try #require(verification["convolutions"] as? Int) > 0)
      #expect(report["threads"] as? Int == 2)
      let axes = try #require(report["axes"] as? [[String: Any]])
      let titles = axes.compactMap { $0["title"] as? String }
      #expect(titles.count == 5)
      for axis in axes {
        let rows = try #require(axis["rows"] as? [[String: Any]])
        #expect(rows.count { $0["exponents"] is NSNull } == 1)
        for row in rows {
          #expect(Set(row.keys) == ["value", "size", "cost", "ratios", "exponents"])
          let cost = try #require(row["cost"] as? [String: Any])
          #expect(
            Set(cost.keys) == [
              "secondsPerStep", "secondsPerStepAndImage", "secondsPerEncode",
              "secondsPerEncodeAndImage", "memoryBytes", "multiplyAddsPerStep",
            ])
        }
      }

      let table = try runProgram(scaling + ["--quick"], in: folder)
      expect(table, 0, "synthetic, residual (preset zalando, hidden 16")
      for title in titles { #expect(table.output.contains("\(title) "), "\(title)") }
      #expect(table.output.contains("\nbase: batch 20, "))
      #expect(table.output.contains("Medians of 7 rounds on 2 threads"))
      #expect(!table.output.contains("Verified"))
      #expect(try files(below: folder).isEmpty)

      let files = ["--set", "data.kind=cifar10", "--set", "data.root=nowhere"]
      expect(
        try runProgram(["bench", "--scaling"] + files, in: folder), 78, "data.kind", "synthetic")
    }
  }

  @Test("by default bench uses the default values, which --set changes")
  func defaults() throws {
    try withTemporaryFolder { folder in
      let sets = ["model.hidden=8", "data.images=64"].flatMap { ["--set", $0] }
      let result = try runProgram(
        ["bench", "--quick", "--steps", "1", "--warmup", "0"] + sets, in: folder)
      expect(
        result, 0, "the default configuration: synthetic, residual (preset zalando, hidden 8, ",
        "quantizer vq, \(KernelSet.current) kernels")
      #expect(result.output.contains(" 32 images, "))
      #expect(try files(below: folder).isEmpty)
    }
  }

  @Test("a wrong configuration, missing images and divergence have the exit codes of training")
  func faults() throws {
    try withTemporaryFolder { folder in
      expect(
        try runProgram(["bench", "--set", "model.hiden=8"], in: folder), 78, "model.hidden")
      expect(
        try runProgram(
          ["bench", "--set", "data.kind=cifar10", "--set", "data.root=nowhere"], in: folder), 66,
        "nowhere")
      expect(try runProgram(["bench", "--config", "none.yaml"], in: folder), 66, "none.yaml")
      expect(
        try runProgram(
          ["bench"] + Self.small + ["--set", "training.learning_rate=1e11", "--steps", "50"],
          in: folder), 70, "not finite")
      #expect(try files(below: folder).isEmpty)
    }
  }
}
