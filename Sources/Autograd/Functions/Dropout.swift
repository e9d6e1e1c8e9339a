import Tensors

/// The random numbers that dropout uses in a training step.
///
/// A mask depends on the seed, the step, the layer and an image's index in the batch. It does not depend on
/// the shards or the number of threads, and a resumed run has the same masks.
package struct DropoutSource: Sendable {
  private let seed: UInt64
  private let step: Int
  private let firstImage: Int

  /// - Parameter firstImage: the index in the batch of the tape's first image.
  package init(seed: UInt64, step: Int, firstImage: Int) {
    self.seed = seed
    self.step = step
    self.firstImage = firstImage
  }

  fileprivate func attributes(_ name: String, probability: Double) -> Dropout.Attributes {
    Dropout.Attributes(
      mask: DropoutMask(
        probability: probability, seed: seed, stream: streamNumber(of: "\(step) \(name)")),
      firstImage: firstImage)
  }
}

/// Sets elements to zero at random, and scales the others so that the expected value stays the same.
package enum Dropout: Function {
  package struct Attributes {
    let mask: DropoutMask
    let firstImage: Int
  }

  package static func forward(
    _ inputs: Inputs<Tensor>, _ attributes: Attributes, _: inout Context<Self>
  ) -> Tensor {
    var result = inputs[0]
    result.drop(attributes.mask, firstImage: attributes.firstImage)
    return result
  }

  package static func backward(
    _ gradient: consuming Tensor, _ attributes: Attributes, _: Context<Self>
  ) -> [Tensor?] {
    gradient.drop(attributes.mask, firstImage: attributes.firstImage)
    return [gradient]
  }
}

/// ``Dropout`` if the variable's tape has a source of random numbers, as in training; else `x` itself.
///
/// - Parameter name: the name of the layer; each layer has its own mask.
package func dropout(_ x: Variable, probability: Double, name: String) -> Variable {
  guard probability > 0, let source = x.tape.context.random else { return x }
  return Dropout.apply([x], source.attributes(name, probability: probability)).output
}
