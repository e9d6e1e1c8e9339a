import BLAS
import Diagnostics
import Runtime
import Tensors
import TerminalText

/// The processor, and what computes on it.
extension Checks {
  /// Instruction sets by the names that Linux has for them.
  private static let instructionSets = [
    ("avx2", "AVX2"), ("fma", "FMA"), ("avx512f", "AVX-512 F"), ("avx512vl", "VL"),
    ("avx512dq", "DQ"), ("avx512bw", "BW"),
  ]

  static func processor() -> Finding {
    let model = ProcessorModel.current
    let sets = instructionSets.filter { model.features.contains($0.0) }.map(\.1)
    let name = model.name ?? "unknown model"
    let counts = [
      model.sockets.map { counted($0, "socket") }, model.cores.map { counted($0, "core") },
    ].compactMap(\.self)
    let parts = [name] + counts + (sets.isEmpty ? [] : [sets.joined(separator: " ")])
    let value = parts.joined(separator: ", ")
    guard KernelSet.best != .openblas else {
      return .warning(
        value,
        advice: "The fast kernels need AVX2 and FMA. OpenBLAS's are used, which are slower.")
    }
    return .ok(value)
  }

  /// The kernels, compared with the reference.
  static func kernels() throws -> Finding {
    let chosen = KernelSelection.summary
    guard hasRoomForOneThread else {
      return .warning(
        "\(chosen); not compared with the reference, for lack of memory",
        advice: "See memory and limits above.")
    }
    // Reserves the memory of OpenBLAS, which the reference uses.
    let pool = WorkerPool(threads: 1)
    return try withExtendedLifetime(pool) {
      let compared: [String]
      do {
        compared = try KernelCheck.all().map {
          "\($0.kernels) within \(scientific($0.verification.largestError))"
        }
      } catch let problem as Problem {
        return .fault(
          Problem(
            problem.status, "\(chosen): \(problem.subject)", found: problem.found,
            expected: problem.expected,
            advice: "This build computes wrong results on this machine. Train with --set "
              + "training.kernels=openblas, and report it."))
      }
      return .ok("\(chosen); of the reference: \(compared.joined(separator: ", "))")
    }
  }

  static func openBLAS() -> Finding {
    BLAS.useOneThread()
    let value = "\(BLAS.versionLine), built \(BLAS.threading), core \(BLAS.coreName)"
    if BLAS.threadWarning != nil {
      return .warning(
        value + ", which ignores our number of threads",
        advice: "Set OMP_NUM_THREADS=1, or install libopenblas0-pthread.")
    }
    if let prescribed = BLAS.prescribedCoreName {
      return .warning(
        value + ", set by OPENBLAS_CORETYPE=\(prescribed)",
        advice: "Unset OPENBLAS_CORETYPE, unless you mean to repeat a result of another machine.")
    }
    if BLAS.maximumCallers < Processors.allowed {
      return .warning(
        value + ", for at most \(counted(BLAS.maximumCallers, "thread"))",
        advice:
          "vqvae uses no more than that; an OpenBLAS built with a larger MAX_THREADS allows more.")
    }
    return .ok(value)
  }

  /// The processors that this process may use.
  static func threads() -> Finding {
    let (online, affinity, quota) = (Processors.online, Processors.affinity, Processors.quota)
    let value =
      "\(Processors.allowed) of \(counted(online, "processor"))"
      + (affinity < online ? ", affinity mask of \(affinity)" : "")
      + (quota.map { ", control group's quota of \(fixed($0, 1))" } ?? "")
    if let quota, quota < Double(Processors.allowed) {
      return .warning(
        value,
        advice: "The threads are stopped for a part of the time. Use --threads "
          + "\(max(1, Int(quota))), or raise the quota of the container or batch job.")
    }
    if Processors.allowed == 1, online > 1 {
      return .warning(
        value,
        advice: "Training uses one thread. taskset, the container (--cpus) or the batch job "
          + "(--cpus-per-task) can allow more.")
    }
    return .ok(value)
  }
}
