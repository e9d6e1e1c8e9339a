// swift-tools-version: 6.2
import PackageDescription

// Dependencies point one way:
//
//   vqvae ─► Training ─► VectorQuantization ─► NN ─► Autograd ─► Tensors ─► Kernels ─► COpenBLAS
//    │  └─► Images ─► CPNG   └─► Datasets ─► Tensors
//    ├─► Files ◄─ Training, Datasets, Images
//    ├─► TerminalText ◄─ Files, Training
//    └─► Benchmarks ─► Training and all that is below it
//
// A target names every one that it imports, those further down included: what is not named here is not
// built again when it changes.

/// The loops of `Kernels` are unchecked: every entry has one checked wrapper in `Tensors`.
let unchecked: [SwiftSetting] = [.unsafeFlags(["-Ounchecked"], .when(configuration: .release))]

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

    // MARK: Numerics
    // What only C can say to the loader: one definition of malloc, and of how OpenBLAS starts.
    .target(name: "CRuntime"),
    .target(name: "Kernels", dependencies: ["COpenBLAS", "CRuntime"], swiftSettings: unchecked),
    .target(name: "Tensors", dependencies: ["Kernels"]),
    .target(name: "Autograd", dependencies: ["Tensors", "Kernels"]),
    .target(name: "NN", dependencies: ["Autograd", "Tensors", "Kernels"]),
    .target(name: "VectorQuantization", dependencies: ["NN", "Autograd", "Tensors"]),

    // MARK: Files and data
    .target(name: "Files", dependencies: ["TerminalText"]),
    .target(name: "Datasets", dependencies: ["Files", "Tensors"]),
    .target(name: "Images", dependencies: ["CPNG", "Files"]),

    // MARK: Program
    .target(name: "TerminalText"),
    .target(
      name: "Training",
      dependencies: [
        "VectorQuantization", "NN", "Autograd", "Tensors", "Kernels", "Datasets", "Files",
        "TerminalText",
        .product(name: "Yams", package: "Yams"),
      ]),
    .target(
      name: "Benchmarks",
      dependencies: [
        "Training", "VectorQuantization", "NN", "Autograd", "Tensors", "Kernels", "Datasets",
        "Files",
      ]),
    .executableTarget(
      name: "vqvae",
      dependencies: [
        "Benchmarks", "Training", "VectorQuantization", "Kernels", "Datasets", "Images", "Files",
        "TerminalText",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // MARK: Tests
    .target(
      name: "TestSupport", dependencies: ["Autograd", "Tensors", "Files"],
      path: "Tests/TestSupport"),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "Tensors", "TestSupport"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "TestSupport"]),
    .testTarget(
      name: "AutogradTests", dependencies: ["Autograd", "Tensors", "Kernels", "TestSupport"]),
    .testTarget(
      name: "NNTests", dependencies: ["NN", "Autograd", "Tensors", "Kernels", "TestSupport"]),
    .testTarget(
      name: "VectorQuantizationTests",
      dependencies: ["VectorQuantization", "NN", "Autograd", "Tensors", "Kernels", "TestSupport"]),
    .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
    .testTarget(
      name: "DatasetsTests", dependencies: ["Datasets", "Files", "Tensors", "TestSupport"]),
    .testTarget(name: "ImagesTests", dependencies: ["Images", "Files", "TestSupport"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "VectorQuantization", "Autograd", "Tensors", "Kernels", "Datasets", "Files",
        "TestSupport",
      ]),
    .testTarget(
      name: "BenchmarksTests",
      dependencies: [
        "Benchmarks", "Training", "VectorQuantization", "Autograd", "Tensors", "Kernels",
        "Datasets",
        "Files", "TestSupport",
      ]),
    .testTarget(name: "TerminalTextTests", dependencies: ["TerminalText"]),
    .testTarget(name: "vqvaeTests", dependencies: ["Files", "TerminalText", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
