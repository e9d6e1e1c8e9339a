// swift-tools-version: 6.2
import PackageDescription

// Dependencies point one way:
//
//   vqvae ─► Benchmarks ─► Models ─► Training ─► Configurations ─► Autoencoders ─► Quantizers ─► NN
//    └─► Images                                        └─► Datasets
//   NN ─► Autograd ─► Tensors ─► Kernels ─► KernelsAVX512, KernelsAVX2, … ─► KernelTypes
//   KernelsOpenBLAS, Runtime ─► BLAS;  below all of them: Options;  Files ─► Diagnostics ─► TerminalText
//
// A target names every target that it imports, indirect ones included: SwiftPM rebuilds it only after a
// change of those.

/// The kernels, compiled once for each instruction set from Sources/KernelSources, to which the targets' folders are
/// links. Their loops are unchecked: every entry has one checked wrapper in `Tensors`.
func kernels(_ name: String, march: String? = nil, dependencies: [Target.Dependency] = []) -> Target
{
  var settings: [SwiftSetting] = [
    .define("KERNELS_\(name.uppercased())"),
    .unsafeFlags(["-Ounchecked"], .when(configuration: .release)),
  ]
  if let march { settings.append(.unsafeFlags(["-Xcc", "-march=\(march)"])) }
  return .target(
    name: "Kernels\(name)", dependencies: ["KernelTypes"] + dependencies, swiftSettings: settings,
    linkerSettings: [.linkedLibrary("m")])
}

#if arch(x86_64)
  let instructionSets = [
    kernels("AVX512", march: "x86-64-v4"), kernels("AVX2", march: "x86-64-v3"), kernels("Generic"),
  ]
#elseif arch(arm64)
  let instructionSets = [kernels("NEON")]
#else
  let instructionSets = [kernels("Generic")]
#endif
let kernelModules = instructionSets + [kernels("OpenBLAS", dependencies: ["BLAS"])]

/// The commit, for `vqvae --version`; nothing if this is not a git repository.
///
/// `make` passes it. Git's own answer can be an old one, since SwiftPM keeps the result of this file until the
/// file or the environment changes.
let commit: [CSetting] =
  (Context.environment["VQVAE_COMMIT"]
  ?? Context.gitInformation.map { "\($0.currentCommit) or a later one" })
  .map { [.define("VQVAE_COMMIT", to: "\"\($0)\"")] } ?? []

let package = Package(
  name: "vqvae",
  products: [.executable(name: "vqvae", targets: ["vqvae"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // MARK: System libraries
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas lapacke",
      providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),

    // MARK: Foundations
    // What only C can say to the loader: one definition of malloc, and of how OpenBLAS starts.
    .target(name: "CRuntime"),
    // The commit alone, so that a commit makes nothing else compile again.
    .target(name: "CBuild", cSettings: commit),
    .target(name: "TerminalText"),
    .target(name: "Diagnostics", dependencies: ["TerminalText"]),
    // What a section of a configuration is made of: a kind, and fields of its options.
    .target(name: "Options"),
    .target(name: "Files", dependencies: ["Diagnostics", "TerminalText"]),
    .target(name: "KernelTypes"),
    .target(name: "BLAS", dependencies: ["COpenBLAS", "CRuntime", "KernelTypes"]),
    .target(name: "Runtime", dependencies: ["BLAS", "CRuntime"]),

    // MARK: Numerics
    // The modules of kernels, and which of them the processor runs.
    .target(
      name: "Kernels",
      dependencies: ["KernelTypes", "CRuntime"]
        + kernelModules.map { .init(stringLiteral: $0.name) }),
    .target(name: "Tensors", dependencies: ["Kernels", "KernelTypes", "BLAS", "Runtime"]),
    .target(name: "Autograd", dependencies: ["Tensors", "KernelTypes"]),
    .target(name: "NN", dependencies: ["Autograd", "Tensors", "KernelTypes", "Runtime"]),
    .target(
      name: "Quantizers",
      dependencies: ["Options", "NN", "Autograd", "Tensors", "KernelTypes", "Diagnostics"]),
    .target(
      name: "Autoencoders",
      dependencies: ["Quantizers", "Options", "NN", "Autograd", "Tensors"]),

    // MARK: Data
    .target(name: "Datasets", dependencies: ["Options", "Files", "Diagnostics", "Tensors"]),
    .target(name: "Images", dependencies: ["CPNG", "Files", "Diagnostics"]),

    // MARK: Program
    // Training is generic over the model. It reads the configuration, and saves it in checkpoints.
    .target(
      name: "Configurations",
      dependencies: [
        "Options", "Autoencoders", "Quantizers", "NN", "Tensors", "Datasets", "Files",
        "Diagnostics",
        .product(name: "Yams", package: "Yams"),
      ]),
    .target(
      name: "Training",
      dependencies: [
        "Configurations", "NN", "Autograd", "Tensors", "Runtime", "Datasets", "Files",
        "Diagnostics", "TerminalText",
      ]),
    // What can be trained: a conformance for each type of model.
    .target(
      name: "Models",
      dependencies: [
        "Training", "Configurations", "Autoencoders", "Quantizers", "NN", "Autograd", "Tensors",
        "Runtime", "Datasets", "Diagnostics",
      ]),
    .target(
      name: "Benchmarks",
      dependencies: [
        "Models", "Training", "Configurations", "Autoencoders", "Quantizers", "NN", "Autograd",
        "Tensors", "KernelTypes", "BLAS", "Runtime", "Datasets", "Files", "Diagnostics",
      ]),
    .executableTarget(
      name: "vqvae",
      dependencies: [
        "Benchmarks", "Models", "Training", "Configurations", "Autoencoders", "Quantizers", "NN",
        "Tensors", "BLAS", "Runtime", "Datasets", "Images", "Files", "Diagnostics",
        "TerminalText", "CBuild",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // MARK: Tests
    .target(
      name: "TestSupport", dependencies: ["Autograd", "Tensors", "Files", "Diagnostics"],
      path: "Tests/TestSupport"),
    // Not a product: it is built, but neither installed nor packaged.
    .executableTarget(
      name: "QuantizerProbe",
      dependencies: ["Configurations", "Quantizers", "NN", "Autograd", "Tensors", "Files"],
      path: "Tests/QuantizerProbe"),
    .testTarget(
      name: "KernelsTests",
      dependencies: ["Tensors", "Kernels", "KernelTypes", "BLAS", "Runtime", "TestSupport"]),
    .testTarget(name: "RuntimeTests", dependencies: ["Kernels", "Runtime"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "TestSupport"]),
    .testTarget(
      name: "AutogradTests",
      dependencies: ["Autograd", "Tensors", "Kernels", "KernelTypes", "Files", "TestSupport"]),
    .testTarget(
      name: "NNTests",
      dependencies: ["NN", "Autograd", "Tensors", "Kernels", "Runtime", "TestSupport"]),
    .testTarget(
      name: "QuantizersTests",
      dependencies: ["Quantizers", "Options", "NN", "Autograd", "Tensors", "TestSupport"]),
    .testTarget(
      name: "AutoencodersTests",
      dependencies: [
        "Autoencoders", "Quantizers", "NN", "Autograd", "Tensors", "Kernels", "Runtime", "Options",
        "TestSupport",
      ]),
    .testTarget(name: "FilesTests", dependencies: ["Files", "Diagnostics", "TestSupport"]),
    .testTarget(
      name: "DatasetsTests",
      dependencies: ["Tensors", "Datasets", "Files", "Diagnostics", "TestSupport"]),
    .testTarget(
      name: "ImagesTests", dependencies: ["Images", "Files", "Diagnostics", "TestSupport"]),
    .testTarget(name: "OptionsTests", dependencies: ["Options"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Models", "Training", "Configurations", "Autoencoders", "Quantizers", "NN", "Autograd",
        "Tensors", "Kernels", "Runtime", "Datasets", "Options", "Files", "Diagnostics",
        "TestSupport",
      ]),
    .testTarget(
      name: "BenchmarksTests",
      dependencies: [
        "Benchmarks", "Models", "Training", "Configurations", "Autoencoders", "Autograd",
        "Tensors", "Files", "Diagnostics", "TestSupport",
      ]),
    .testTarget(name: "TerminalTextTests", dependencies: ["TerminalText"]),
    .testTarget(
      name: "vqvaeTests",
      dependencies: [
        "Quantizers", "Kernels", "Files", "Diagnostics", "TerminalText", "TestSupport",
      ]),
  ] + kernelModules,
  swiftLanguageModes: [.v6]
)
