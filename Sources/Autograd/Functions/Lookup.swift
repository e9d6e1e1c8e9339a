import Tensors

/// The rows of a table at the given codes (an embedding).
///
///     output[n] = table[codes[n]]
///
/// The gradient of a row is the sum over all positions with its code.
package enum Lookup: Function {
  package typealias Saved = Shape

  package static func forward(
    _ inputs: Inputs<Tensor>, _ codes: Codes, _ context: inout Context<Self>
  ) -> Tensor {
    context.save(inputs[0].shape)
    return inputs[0].rows(at: codes)
  }

  package static func backward(
    _ gradient: consuming Tensor, _ codes: Codes, _ context: Context<Self>
  ) -> [Tensor?] {
    var table = Tensor(zeros: context.saved)
    table.scatterAdd(gradient, at: codes)
    return [table]
  }
}

/// ``Lookup`` as a function of variables.
package func lookUp(_ codes: Codes, in table: Variable) -> Variable {
  Lookup.apply([table], codes).output
}
