import Benchmarks
import TerminalText

/// A benchmark's report as a table.
struct BenchTable {
  let lines: [String]

  init(_ report: BenchmarkReport) {
    lines = Self.figures(report) + (report.kernels.map { [""] + Self.kernels($0) } ?? [])
  }

  private static func figures(_ report: BenchmarkReport) -> [String] {
    let split = report.split
    var rows = [
      ("kernels", report.kernelSet),
      (
        "step",
        "\(milliseconds(report.secondsPerStep.median)) (best \(milliseconds(report.secondsPerStep.best)))"
          + ", \(counted(report.batch, "image")), \(counted(report.threads, "thread")), \(counted(report.steps, "step"))"
      ),
      ("  data", milliseconds(split.data)),
      ("  forward", milliseconds(split.forward)),
      ("  quantizer", milliseconds(split.quantizer)),
      ("  backward", "\(milliseconds(split.backward)) (the rest)"),
      ("  optimizer", milliseconds(split.optimizer)),
      ("training", "\(fixed(report.imagesPerSecond, 0)) images/s"),
      (
        "encoding",
        "\(fixed(report.encodeImagesPerSecond, 0)) images/s, a batch in "
          + "\(milliseconds(report.secondsPerEncode.median)) (best \(milliseconds(report.secondsPerEncode.best)))"
      ),
      ("FLOP", "\(fixed(Double(report.flopPerStep) * 1e-9, 1)) G per step"),
    ]
    if let peak = report.sgemmPeak, let one = report.sgemmPeakOneThread,
      let rounds = report.sgemmPeakRounds, let fraction = report.fractionOfPeak
    {
      rows.append(("  of the peak", fixed(fraction, 3)))
      rows.append(
        (
          "sgemm peak",
          "\(fixed(peak, 0)) GFLOP/s (one thread \(fixed(one, 0))), OpenBLAS \(report.blasCore); in turn "
            + rounds.map { fixed($0, 0) }.joined(separator: ", ")
        ))
    }
    if let seconds = report.firstStepSeconds {
      rows.append(("first step", "\(fixed(seconds, 2)) s after the start of the process"))
    }
    if let anonymous = report.peakAnonymousBytes, let growth = report.anonymousGrowth {
      rows.append(
        (
          "memory",
          "\(megabytes(anonymous)) allocated"
            + (report.peakResidentBytes.map { ", \(megabytes($0)) resident at the peak" } ?? "")
            + "; grown by \(fixed(100 * growth, 2)) % over the steps"
        ))
    }
    rows.append(("page faults", "\(fixed(report.pageFaultsPerStep, 1)) per step"))
    if let verification = report.verification {
      rows.append(
        (
          "verified",
          "\(counted(verification.convolutions, "convolution")), within \(scientific(verification.largestError)) of "
            + "the largest element; \(counted(verification.vectors, "nearest codeword"))"
        ))
    }
    return rows.map { name, value in padded(name, 15) + value }
  }

  private static func kernels(_ kernels: [KernelReport]) -> [String] {
    let width = (kernels.map(\.name.count).max() ?? 0) + 2
    return kernels.map { kernel in
      var line =
        padded(kernel.name, width) + padded("\(fixed(kernel.seconds.median * 1e6, 0)) µs", 12)
      if let speed = kernel.gigaflopsPerSecond {
        line += padded("\(fixed(speed, 0)) GFLOP/s", 14)
        line += padded(kernel.fractionOfPeak.map { "\(fixed($0, 2)) of peak" } ?? "", 15)
      } else if let speed = kernel.bytesPerSecond {
        line += padded("\(fixed(speed * 1e-9, 1)) GB/s", 14)
        line += padded(kernel.fractionOfBandwidth.map { "\(fixed($0, 2)) of copy" } ?? "", 15)
      }
      let more = kernel.uses.count - 1
      return line + (kernel.uses.first ?? "") + (more > 0 ? " and \(more) more" : "")
    }
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private static func milliseconds(_ seconds: Double) -> String { "\(fixed(seconds * 1e3, 1)) ms" }

  private static func megabytes(_ bytes: Int) -> String { "\(fixed(Double(bytes) * 1e-6, 1)) MB" }
}
