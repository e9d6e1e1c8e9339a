import KernelTypes
import Kernels

extension RandomPurpose {
  package static let dropout = RandomPurpose(4)
}

/// Which elements dropout sets to zero.
package typealias DropoutMask = KernelTypes.DropoutMask

extension DropoutMask {
  /// - Parameters:
  ///   - probability: at least 0 and below 1.
  ///   - stream: which of the streams of random numbers for dropout.
  package init(probability: Double, seed: UInt64, stream: UInt64) {
    precondition(
      (0..<1).contains(probability), "a dropout probability is in 0..<1, not \(probability)")
    self.init(
      probability: probability, seed: seed, purpose: RandomPurpose.dropout.number, stream: stream)
  }
}

extension Tensor {
  /// Drops elements of images in place.
  ///
  /// - Parameter firstImage: the index of the first image among those that share the mask's stream.
  package mutating func drop(_ mask: DropoutMask, firstImage: Int) {
    let images = shape[0]
    let size = images == 0 ? 0 : count / images
    withUnsafeMutablePointer {
      kernels.drop(mask, $0, first: firstImage, count: images, width: size, into: $0)
    }
  }
}
