import Tensors

/// Nearest-neighbour upsampling by two: `[N, H, W, C]` becomes `[N, 2H, 2W, C]`.
package enum UpsampleNearest: Function {
  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _: inout Context<Self>
  ) -> Tensor {
    inputs[0].upsampledNearest()
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _: Context<Self>
  ) -> [Tensor?] {
    [gradient.upsampledNearestBackward()]
  }
}

/// ``UpsampleNearest`` as a function of a variable.
package func upsampleNearest(_ images: Variable) -> Variable {
  UpsampleNearest.apply([images]).output
}
