import Autograd
import Configurations
import Files
import Glibc
import NN
import Quantizers
import Tensors

/// Runs a quantizer on vectors, so that other programs can be compared with it (scripts/compare_lucidrains.py).
/// It is not installed.
///
///     QuantizerProbe INPUT OUTPUT
///
/// Both are safetensors files. INPUT has the metadata `configuration`, with a section `quantizer`, and `step`; the
/// vectors `z`, `[N, h, w, D]`, the gradient `output_gradient`, and parameters by name. Other parameters have
/// their initial values. OUTPUT has
///
///     codes, output
///     terms.<i>.<name>              the loss terms, not weighted
///     gradients.output.<leaf>       of Σ output_gradient · output, for the leaf z and trained parameters
///     gradients.<i>.<name>.<leaf>   of a term times its weight
///     updated.<parameter>           after the quantizer's own update
@main enum QuantizerProbe {
  static func main() {
    do {
      guard CommandLine.arguments.count == 3 else { fail("usage: QuantizerProbe INPUT OUTPUT") }
      try run(CommandLine.arguments[1], CommandLine.arguments[2])
    } catch {
      fail("\(error)")
    }
  }

  private static func fail(_ message: String) -> Never {
    let line = Array("\(message)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(1)
  }

  private static func run(_ inputPath: String, _ outputPath: String) throws {
    let input = try SafetensorsFile(inputPath)
    let configuration = try ConfigurationReader.read(
      yaml: input.metadata["configuration"] ?? "", name: "configuration", needsData: false)
    let quantizer = configuration.quantizer.quantizer("quantizer")
    var state = ModelState(initial: quantizer.parameters, seed: configuration.seed)
    for parameter in quantizer.parameters where input.entries[parameter.name] != nil {
      state.values[parameter] = try tensor(parameter.name, of: input)
    }

    let (z, gradient) = (try tensor("z", of: input), try tensor("output_gradient", of: input))
    let step = Int(input.metadata["step"] ?? "") ?? 1
    let pass = { Pass(quantizer, z, state.values, seed: configuration.seed, step: step) }
    let first = pass()
    var results = [
      "codes": Tensor(first.result.codes.shape, first.result.codes.indices.map(Float.init)),
      "output": first.result.output.value,
    ]
    // A tape computes gradients once.
    results.merge(first.gradients("output", of: first.result.output, gradient)) { $1 }
    for (i, term) in first.result.terms.enumerated() {
      results["terms.\(i).\(term.name)"] = term.value.value
      let other = pass()
      let weighted = other.result.terms[i].weight * other.result.terms[i].value
      results.merge(
        other.gradients("\(i).\(term.name)", of: weighted, Tensor(weighted.shape, repeating: 1))
      ) { $1 }
    }
    quantizer.update(&state, with: first.result.statistics, step: step)
    for parameter in quantizer.parameters {
      results["updated.\(parameter.name)"] = state.values[parameter]
    }
    try Safetensors.write(
      outputPath, metadata: [:],
      items: results.map { .init(name: $0, shape: $1.shape.extents, elements: $1.elements) })
  }

  private static func tensor(_ name: String, of file: SafetensorsFile) throws -> Tensor {
    Tensor(Shape(file.entries[name]?.shape ?? []), try file.elements(name))
  }
}

/// A forward pass on its own tape.
private struct Pass {
  let tape: Tape
  let z: Variable
  let result: Quantized

  init(
    _ quantizer: any Quantizer, _ z: Tensor, _ values: ParameterValues, seed: UInt64, step: Int
  ) {
    tape = Tape(values)
    self.z = tape.leaf(z)
    result = quantizer.quantize(
      self.z,
      in: ShardContext(validCount: z.shape[0], batchSize: z.shape[0], seed: seed, step: step))
  }

  /// The gradients of `Σ gradient · output`, by name.
  func gradients(_ name: String, of output: Variable, _ gradient: Tensor) -> [String: Tensor] {
    let found = tape.backward(from: output, gradient: gradient)
    var result: [String: Tensor] = [:]
    for (parameter, gradient) in found.byName {
      result["gradients.\(name).\(parameter)"] = gradient
    }
    if let gradient = found[z] { result["gradients.\(name).z"] = gradient }
    return result
  }
}
