import Autoencoders
import Benchmarks
import Configurations
import Models
import NN
import Quantizers
import Tensors

/// A set of kernels compared with OpenBLAS's, which share neither algorithms nor products with ours.
struct KernelCheck {
  let kernels: KernelSet
  let verification: Verification

  /// Compares each of our sets that runs here, on the shapes of the demo's model. Takes a second or two; computes on
  /// the calling thread, and nothing else may compute.
  ///
  /// The caller has to make a `WorkerPool` first, which reserves the memory of OpenBLAS.
  ///
  /// - Throws: `Problem` if a kernel is wrong.
  static func all() throws -> [KernelCheck] {
    let configuration = try DemoConfiguration.read()
    let image = configuration.data.image
    let facts = ImageFacts(image: image, trainingCount: 1, variance: 1)
    let model = try VQVAE(configuration, facts)
    let values = ModelState(initial: model.parameters, seed: configuration.seed).values
    let calls = ModelWork(of: model, values, image: image).calls
    let searches = model.quantizers.compactMap {
      $0.codebook.map { CodebookSearch(codebook: $0.parameter.shape) }
    }
    return try KernelSet.runnable.filter { $0 != .openblas }.map { choice in
      try choice.perform {
        // The generic kernels may be slow.
        KernelCheck(
          kernels: choice,
          verification: try Verification(
            calls, images: choice == .generic ? 1 : 8, searches: searches,
            kernels: ConvolutionKernels(model.convolution)))
      }
    }
  }
}
