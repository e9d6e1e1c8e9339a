import Autograd
import Tensors
import TestSupport
import Testing

@Suite("The tape")
struct TapeTests {
  /// The example of the Stack Overflow answer about the straight-through estimator (see
  /// docs/reproduced-systems.md): rounding has no useful gradient.
  @Test("rounding alone has the gradient 0; with the detached offset, it has 2")
  func roundingExample() {
    func gradient(_ round: (Variable) -> Variable) -> [Float]? {
      let tape = Tape()
      let x = tape.leaf(Tensor([2], [1.1, 2.1]))
      let y = 2 * x
      let r = round(y).sum()
      #expect(r.value.scalar == 6)
      return tape.backward(from: r)[x]?.elements
    }
    #expect(gradient { $0.rounded() } == [0, 0])
    #expect(gradient { $0 + ($0.rounded() - $0).detach() } == [2, 2])
  }

  @Test("no gradient flows through detach, or to constants")
  func detached() {
    let tape = Tape()
    let x = tape.leaf(Tensor([2], [1, 2]))
    let constant = tape.constant(Tensor([2], [3, 4]))
    let loss = (x.detach() + constant).sum()
    #expect(!loss.needsGradient)
    #expect(tape.backward(from: loss)[x] == nil)
  }

  @Test("a function sees which of its inputs need a gradient")
  func needed() {
    let tape = Tape()
    let x = tape.leaf(Tensor([2], [1, 2]))
    let y = tape.constant(Tensor([2], [1, 2]))
    let output = Recorder.apply([x, y]).output
    _ = tape.backward(from: output.sum())
    #expect(output.needsGradient)
  }

  @Test("all uses of a parameter add to one gradient, under its name")
  func parameters() {
    let parameter = Parameter("layer.weight", [2], initializer: .zeros)
    let buffer = Parameter("layer.average", [2], initializer: .zeros, role: .buffer)
    let tape = Tape(ParameterValues(initial: [parameter, buffer], seed: 1))
    let loss = (tape.read(parameter) + tape.read(parameter) + tape.read(buffer)).sum()
    let gradients = tape.backward(from: loss).byName
    #expect(gradients["layer.weight"]?.elements == [2, 2])
    #expect(gradients["layer.average"] == nil)
  }

  @Test("a tape that does not record keeps nothing and gives no gradient")
  func notRecording() {
    let tape = Tape(recording: false)
    let x = tape.leaf(Tensor([2], [1, 2]))
    #expect(!(2 * x).needsGradient)
  }

  @Test("backward frees what an operation saved as soon as it has used it")
  func freesRecords() {
    let tape = Tape()
    let log = Log()
    let x = tape.leaf(Tensor([1], [1]))
    let loss = Saver.apply([Saver.apply([x], (log, 1)).output], (log, 2)).output.sum()
    _ = tape.backward(from: loss)
    #expect(log.events == ["backward 2", "freed 2", "backward 1", "freed 1"])
  }

  /// Copying every gradient that is masked in place took a sixtieth of a training step.
  @Test("backward passes on the only reference to a gradient, so that it can be changed in place")
  func gradientsAreNotCopied() {
    let tape = Tape()
    let log = Log()
    let x = tape.leaf(Tensor([2], [1, 2]))
    let output = InPlace.apply([InPlace.apply([2 * x], log).output], log).output
    _ = tape.backward(from: 3 * output, gradient: Tensor([2], [1, 1]))
    #expect(log.events == ["in place", "in place"])
  }

  @Test("backward from an output takes a gradient of its shape")
  func seeded() {
    let tape = Tape()
    let x = tape.leaf(Tensor([2], [1, 2]))
    let gradients = tape.backward(from: 3 * x, gradient: Tensor([2], [1, 10]))
    #expect(gradients[x]?.elements == [3, 30])
  }

  @Test("a loss that is not a scalar stops the program")
  func notScalar() async {
    await #expect(processExitsWith: .failure) {
      let tape = Tape()
      _ = tape.backward(from: tape.leaf(Tensor([2], [1, 2])))
    }
  }
}

/// The identity of its first input, which checks that only that input needs a gradient.
private enum Recorder: Function {
  static func forward(_ inputs: Inputs<Tensor>, _: Void, _ context: inout Context<Self>) -> Tensor {
    #expect(context.needsGradient == [true, false])
    return inputs[0]
  }

  static func backward(
    _ gradient: consuming Tensor, _: Void, _ context: Context<Self>
  ) -> [Tensor?] {
    [gradient, nil]
  }
}

/// A list of events, in order.
private final class Log {
  var events: [String] = []
}

/// An identity that saves an object, and logs when that object is freed.
private enum Saver: Function {
  typealias Attributes = (log: Log, number: Int)

  final class Saved {
    let attributes: Attributes
    init(_ attributes: Attributes) { self.attributes = attributes }
    deinit { attributes.log.events.append("freed \(attributes.number)") }
  }

  static func forward(
    _ inputs: Inputs<Tensor>, _ attributes: Attributes, _ context: inout Context<Self>
  ) -> Tensor {
    context.save(Saved(attributes))
    return inputs[0]
  }

  static func backward(
    _ gradient: consuming Tensor, _ attributes: Attributes, _ context: Context<Self>
  ) -> [Tensor?] {
    attributes.log.events.append("backward \(attributes.number)")
    return [gradient]
  }
}

/// An identity that accesses the gradient for writing, and logs whether that made a copy.
private enum InPlace: Function {
  static func forward(_ inputs: Inputs<Tensor>, _: Log, _ context: inout Context<Self>) -> Tensor {
    inputs[0]
  }

  static func backward(
    _ gradient: consuming Tensor, _ log: Log, _ context: Context<Self>
  ) -> [Tensor?] {
    let before = gradient.withUnsafePointer { UInt(bitPattern: $0) }
    let after = gradient.withUnsafeMutablePointer { UInt(bitPattern: $0) }
    log.events.append(before == after ? "in place" : "copied")
    return [gradient]
  }
}
