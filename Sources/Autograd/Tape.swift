import Tensors

/// The record of a computation, from which gradients are computed once.
///
/// A tape belongs to the thread that made it. It reads parameters from the values it was given, so
/// the tapes of several threads can share them.
package final class Tape {
  private struct Record {
    let output: Int
    let inputs: [Int?]
    let backward: (consuming Tensor) -> [Tensor?]
  }

  package let context: ExecutionContext
  private let values: ParameterValues
  private let isRecording: Bool
  private var records: [Record] = []
  private var nodeCount = 0
  private var parameterNodes: [String: Int] = [:]

  /// - Parameter recording: false for a computation without gradients, which keeps nothing.
  package init(
    _ values: ParameterValues = ParameterValues([:]), recording: Bool = true,
    context: ExecutionContext = ExecutionContext()
  ) {
    self.values = values
    self.context = context
    isRecording = recording
  }

  /// A tensor that no gradient flows to.
  package func constant(_ value: Tensor) -> Variable {
    Variable(value: value, tape: self, node: nil)
  }

  /// A tensor whose gradient is available after ``backward(from:)``.
  package func leaf(_ value: Tensor) -> Variable {
    Variable(value: value, tape: self, node: isRecording ? makeNode() : nil)
  }

  /// The value of a parameter. All uses of a parameter add to one gradient.
  package func read(_ parameter: Parameter) -> Variable {
    let value = values[parameter]
    guard isRecording, parameter.role == .trained else { return constant(value) }
    if let node = parameterNodes[parameter.name] {
      return Variable(value: value, tape: self, node: node)
    }
    let variable = leaf(value)
    parameterNodes[parameter.name] = variable.node
    return variable
  }

  /// The name of the parameter that a variable is; nil if it is not one, or if the tape does not record.
  func parameterName(of variable: Variable) -> String? {
    variable.node.flatMap { node in parameterNodes.first { $0.value == node }?.key }
  }

  /// Records an operation and returns the index of its output's gradient.
  func record(
    inputs: [Int?], backward: @escaping (consuming Tensor) -> [Tensor?]
  ) -> Int {
    let output = makeNode()
    records.append(
      Record(output: output, inputs: inputs, backward: backward))
    return output
  }

  /// The gradients of a scalar loss with respect to all leaves and parameters.
  ///
  /// This consumes the records: what an operation saved is freed as soon as its gradients are computed.
  package func backward(from loss: Variable) -> Gradients {
    precondition(loss.value.count == 1, "a loss is one number, not \(loss.shape)")
    return backward(from: loss, gradient: Tensor(loss.shape, repeating: 1))
  }

  /// The gradients of `Σ gradient · output` with respect to all leaves and parameters.
  package func backward(from output: Variable, gradient: Tensor) -> Gradients {
    precondition(output.tape === self, "the output belongs to another tape")
    precondition(
      gradient.shape == output.shape,
      "a gradient of shape \(gradient.shape) is not for an output of shape \(output.shape)")
    var gradients = [Tensor?](repeating: nil, count: nodeCount)
    if let node = output.node { gradients[node] = gradient }
    while let record = records.popLast() {
      // The gradient is taken out of the array, so that the function holds the only reference and can change
      // it in place.
      guard let gradient = gradients[record.output].take() else { continue }
      let inputGradients = record.backward(consume gradient)
      precondition(inputGradients.count == record.inputs.count, "one gradient for each input")
      for (node, gradient) in zip(record.inputs, inputGradients) {
        guard let node, let gradient else { continue }
        if gradients[node] == nil {
          gradients[node] = gradient
        } else {
          gradients[node]! += gradient
        }
      }
    }
    return Gradients(
      byName: parameterNodes.compactMapValues { gradients[$0] }, byNode: gradients)
  }

  private func makeNode() -> Int {
    defer { nodeCount += 1 }
    return nodeCount
  }
}

/// The gradients that ``Tape/backward(from:)`` computed.
package struct Gradients {
  /// Gradients of parameters, by name. A parameter that the loss does not depend on is missing.
  package let byName: [String: Tensor]
  private let byNode: [Tensor?]

  init(byName: [String: Tensor], byNode: [Tensor?]) {
    self.byName = byName
    self.byNode = byNode
  }

  /// The gradient of a leaf, or nil if the loss does not depend on it.
  package subscript(leaf: Variable) -> Tensor? { leaf.node.flatMap { byNode[$0] } }
}
