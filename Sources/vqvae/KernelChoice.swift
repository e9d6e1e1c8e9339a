import Autoencoders
import Benchmarks
import Configurations
import Kernels
import Models
import NN
import Quantizers
import Runtime
import Tensors

/// What `--version` and `doctor` say about the kernels: the only place of the command line that names them.
enum KernelChoice {
  /// The kernels that this process uses, in a few words.
  static var chosen: String {
    if hasWideRegisters { return "AVX-512 (of this build)" }
    return hasRegisterTile ? "AVX2 (of this build)" : "im2col and OpenBLAS (portable build)"
  }

  /// Compares each set of kernels that can be chosen here with the reference, on the shapes of the demo's
  /// model. Takes about a second; computes on the calling thread.
  ///
  /// The caller has to make a ``WorkerPool`` first, which reserves the memory of OpenBLAS.
  ///
  /// - Returns: the name of each set, and its comparison.
  /// - Throws: ``Problem`` if a kernel is wrong.
  static func verify() throws -> [(name: String, verification: Verification)] {
    let configuration = try DemoConfiguration.read()
    let image = configuration.data.image
    let facts = ImageFacts(image: image, trainingCount: 1, variance: 1)
    let model = try VQVAE(configuration, facts)
    let values = ModelState(initial: model.parameters, seed: configuration.seed).values
    let verification = try Verification(
      ModelWork(of: model, values, image: image).calls, images: 8,
      searches: model.quantizers.compactMap {
        $0.codebook.map { CodebookSearch(codebook: $0.parameter.shape) }
      },
      kernels: ConvolutionKernels(model.convolution))
    return [(chosen, verification)]
  }
}
