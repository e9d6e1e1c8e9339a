import Tensors

/// Which random numbers the dropout of a training step takes.
///
/// A mask depends on the seed, the step, the layer and an image's place in the batch, so no cutting of
/// the batch and no number of threads changes it, and a resumed run goes on with the same.
package struct DropoutSource: Sendable {
  private let seed: UInt64
  private let step: Int
  private let firstImage: Int

  /// - Parameter firstImage: the place in the batch of a tape's first image.
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

/// Sets elements to zero at random, and scales the others so that their mean stays.
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

/// ``Dropout`` where the variable's tape has a source for it, which it has in training alone.
///
/// - Parameter name: the layer's; each has a mask of its own.
package func dropout(_ x: Variable, probability: Double, name: String) -> Variable {
  guard probability > 0, let source = x.tape.context.random else { return x }
  return Dropout.apply([x], source.attributes(name, probability: probability)).output
}
