import Tensors

/// The second input in place of the first, whose gradient is that of the output: the straight-through
/// estimator (Bengio et al. 2013) of any function that made the second from the first. The second gets none.
package enum Substitute: Function {
  package static func forward(
    _ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>
  ) -> Tensor {
    precondition(inputs[0].shape == inputs[1].shape, "a substitute has the same shape")
    return inputs[1]
  }

  package static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    [gradient, nil]
  }
}
