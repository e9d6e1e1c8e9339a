import Autograd
import Tensors
import Testing

/// Compares the gradients of a function with central differences.
///
/// The loss is the sum of the function's output times random weights, in double precision. For a function
/// that is linear or quadratic in each of its inputs, central differences have no truncation error, so
/// `step` can be large. What remains is the rounding of Float: about 2⁻²⁴ · (size of the output) ·
/// √(number of outputs) / step.
///
/// - Parameters:
///   - step: half of the distance between the two points of a difference.
///   - tolerance: relative to the largest element of the numerical gradient.
package func checkGradients(
  of inputs: [Tensor], step: Float = 0.5, tolerance: Double = 1e-4, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation,
  function: ([Variable]) -> Variable
) {
  let tape = Tape()
  let leaves = inputs.map(tape.leaf)
  let output = function(leaves)
  var generator = SeededGenerator(test: 7)
  let weights = generator.tensor(output.shape)
  let gradients = tape.backward(from: output, gradient: weights)

  func loss(_ inputs: [Tensor]) -> Double {
    let tape = Tape(recording: false)
    let output = function(inputs.map(tape.constant)).value
    return zip(output.elements, weights.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  for (i, input) in inputs.enumerated() {
    guard let gradient = gradients[leaves[i]] else {
      Issue.record("\(what): input \(i) has no gradient", sourceLocation: sourceLocation)
      continue
    }
    var numerical = DoubleTensor(zeros: input.shape.extents)
    var moved = inputs
    for element in 0..<input.count {
      func at(_ offset: Float) -> (Double, Float) {
        var elements = input.elements
        elements[element] += offset
        moved[i] = Tensor(input.shape, elements)
        return (loss(moved), elements[element])
      }
      let (above, high) = at(step)
      let (below, low) = at(-step)
      // Divide by the distance of the points after rounding to Float.
      numerical.elements[element] = (above - below) / (Double(high) - Double(low))
    }
    expectClose(
      gradient, numerical, tolerance: tolerance, "\(what): gradient of input \(i)",
      sourceLocation: sourceLocation)
  }
}
