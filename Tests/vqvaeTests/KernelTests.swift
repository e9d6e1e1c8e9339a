import Files
import Kernels
import Quantizers
import TestSupport
import Testing

/// Whole runs with every set of kernels that this machine has. CI says which it has not.
@Suite("Kernels") struct KernelTests {
  private static let ours = KernelSet.runnable.filter { $0 != .openblas }

  private static let architectures = [
    ["model.architecture=residual", "model.hidden=32"], ["model.architecture=strided"],
    ["model.architecture=resblock", "model.widths=[32, 32]"],
    ["model.architecture=hierarchical", "model.hidden=32"],
  ]

  private static let codebook = ["quantizer.codebook_size=64", "quantizer.dimension=16"]

  /// Quantizers with k-means, restarts and random choices, and those without a codebook.
  private static let others: [[String]] =
    [
      ["kind=cosine", "init=kmeans", "restart_every=5"],
      ["kind=simvq", "straight_through=rotation"],
      ["kind=residual", "init=kmeans", "restart_every=5", "stage_dropout=0.5"],
      ["kind=grouped", "inner=vq", "init=orthogonal", "restart_every=5"],
    ].map { settings in settings.map { "quantizer.\($0)" } + codebook }
    + [["quantizer.kind=fsq"], ["quantizer.kind=lfq"]]

  /// Convolutions of every algorithm and quantizers of every kind. Batches of 12 are two shards.
  static let models: [[String]] =
    (architectures.flatMap { architecture in
      ["vq", "ema"].map { architecture + ["quantizer.kind=\($0)"] + codebook }
    } + others.map { architectures[0] + $0 }).map {
      $0 + [
        "training.batch_size=12", "training.shard_images=6", "data.images=64",
        "training.steps=20", "training.validate_every=10",
      ]
    }

  @Test("every kind of quantizer is among them")
  func kinds() {
    let tested = Set(Self.models.flatMap(\.self))
    for kind in QuantizerKinds.all { #expect(tested.contains("quantizer.kind=\(kind.name)")) }
  }

  /// The bytes of the two checkpoints of a run.
  private func checkpoints(
    _ sets: [String], kernels: KernelSet, threads: Int = 1, environment: [String: String] = [:],
    in folder: String
  ) throws -> [[UInt8]] {
    let run = "\(kernels)-\(threads)-\(environment.values.joined())"
    let result = try runProgram(
      ["train", "--config", smokeConfiguration, "--run", run, "--threads", "\(threads)"]
        + sets.flatMap { ["--set", $0] },
      in: folder,
      environment: environment.merging([KernelSet.variable: kernels.rawValue]) { $1 })
    try #require(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("\(kernels) kernels"), "\(result.errors)")
    return try ["last", "best"].map {
      try contents(of: "\(folder)/\(run)/checkpoints/\($0).safetensors")
    }
  }

  @Test("ours give the same bytes, each on another number of threads", arguments: models)
  func sameBytes(model: [String]) throws {
    try withTemporaryFolder { folder in
      let all = try Self.ours.enumerated().map { i, kernels in
        try checkpoints(model, kernels: kernels, threads: i + 1, in: folder)
      }
      for (other, kernels) in zip(all, Self.ours).dropFirst() {
        #expect(other == all[0], "\(kernels) and \(Self.ours[0])")
      }
    }
  }

  @Test("those of OpenBLAS give bytes of their own, the same on any number of threads")
  func openBLAS() throws {
    try withTemporaryFolder { folder in
      let model = Self.models[0]
      let one = try checkpoints(model, kernels: .openblas, in: folder)
      for threads in [2, 3] {
        let other = try checkpoints(model, kernels: .openblas, threads: threads, in: folder)
        #expect(other == one)
      }
      let best = try checkpoints(model, kernels: .best, in: folder)
      #expect((best != one) == (KernelSet.best != .openblas))
    }
  }

  /// OpenBLAS computes nothing that a run depends on. Twelve codewords and three channels fill no register tile.
  @Test(
    "the cores that OpenBLAS is told to use do not change a byte",
    .enabled(if: KernelSet.best != .openblas))
  func cores() throws {
    try withTemporaryFolder { folder in
      let model = Self.models[0] + ["quantizer.codebook_size=12", "quantizer.dimension=5"]
      let all = try ["Haswell", "SkylakeX", "Prescott"].map {
        try checkpoints(
          model, kernels: .best, environment: ["OPENBLAS_CORETYPE": $0], in: folder)
      }
      #expect(all[1] == all[0] && all[2] == all[0])
    }
  }

  @Test("the environment and the configuration choose, and the environment wins")
  func choice() throws {
    try withTemporaryFolder { folder in
      let field = ["--set", "training.kernels=openblas"]
      let arguments = ["bench", "--quick", "--steps", "1", "--warmup", "0", "--json"]
      let small = ["--set", "model.hidden=8", "--set", "data.images=64"]
      func used(_ arguments: [String], _ environment: [String: String]) throws -> String? {
        let result = try runProgram(arguments, in: folder, environment: environment)
        try #require(result.status == 0, "\(result.errors)")
        return try object(result.output)["kernelSet"] as? String
      }
      let none = [KernelSet.variable: ""]
      let byDefault = try used(arguments + small, none)
      let byField = try used(arguments + small + field, none)
      let byBoth = try used(
        arguments + small + field, [KernelSet.variable: KernelSet.best.rawValue])
      #expect(byDefault == KernelSet.best.rawValue)
      #expect(byField == "openblas")
      #expect(byBoth == KernelSet.best.rawValue)
    }
  }

  @Test("kernels that do not exist or do not run here are refused, with those that do")
  func refused() throws {
    let foreign = KernelSet.allCases.first { !$0.isRunnable }
    try withTemporaryFolder { folder in
      for name in ["avx3", "AVX2", foreign?.rawValue ?? "fast"] {
        expect(
          try runProgram(["eval", "x"], in: folder, environment: [KernelSet.variable: name]), 64,
          "VQVAE_KERNELS=\(name)", "expected one of", "openblas")
      }
      guard let foreign else { return }
      expect(
        try runProgram(
          ["bench", "--set", "training.kernels=\(foreign)"], in: folder,
          environment: [KernelSet.variable: ""]), 78, "training.kernels", "expected one of")
    }
  }

  @Test("OpenBLAS has no direct convolutions")
  func directWithOpenBLAS() throws {
    try withTemporaryFolder { folder in
      expect(
        try runProgram(
          [
            "bench", "--set", "training.kernels=openblas", "--set", "training.convolution=direct",
          ], in: folder), 78, "training.convolution", "auto or im2col")
    }
  }
}
