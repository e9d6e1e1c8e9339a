import Autograd
import Files
import Foundation
import KernelTypes
import Tensors
import TestSupport
import Testing

/// A gradient check for every function, by its type, so that a new function cannot be added without one.
///
/// There is one simple case for each; the other options of a function are tested in ``GradientCheckTests``.
@Suite("Every function has a gradient check")
struct GradientCoverageTests {
  /// A comparison of one function with central differences.
  struct Check: Sendable, CustomTestStringConvertible {
    let function: String
    let inputs: [Shape]
    let step: Float
    let tolerance: Double
    let call: @Sendable ([Variable]) -> Variable

    /// - Parameter step: small for a function that is not linear or quadratic in each input.
    init(
      function: any Function.Type, inputs: [Shape], step: Float = 0.5, tolerance: Double = 1e-4,
      call: @escaping @Sendable ([Variable]) -> Variable
    ) {
      (self.function, self.inputs, self.step) = ("\(function)", inputs, step)
      (self.tolerance, self.call) = (tolerance, call)
    }

    var testDescription: String { function }
  }

  private static let window = ConvolutionWindow(kernelSize: 3, stride: 2, padding: 1)

  static let checks = [
    Check(function: Add.self, inputs: [[3, 5], [3, 5]]) { $0[0] + $0[1] },
    Check(function: Subtract.self, inputs: [[3, 5], [3, 5]]) { $0[0] - $0[1] },
    Check(function: Scale.self, inputs: [[3, 5]]) { -2.5 * $0[0] },
    Check(function: Sum.self, inputs: [[3, 5]]) { $0[0].sum() },
    // No element is within the step of a half.
    Check(function: Round.self, inputs: [[3, 5]], step: 0x1p-10) { $0[0].rounded() },
    // No element is within the step of zero.
    Check(function: ReLU.self, inputs: [[3, 5]], step: 0x1p-10, tolerance: 1e-3) { relu($0[0]) },
    Check(function: Tanh.self, inputs: [[3, 5]], step: 0x1p-7) { tanh($0[0]) },
    Check(function: SquaredError.self, inputs: [[4, 3], [4, 3]]) {
      squaredError($0[0], $0[1], factor: 0.7, rows: 3)
    },
    Check(function: Lookup.self, inputs: [[5, 3]]) { lookUp(Codes([4], [1, 3, 1, 0]), in: $0[0]) },
    Check(function: Concatenate.self, inputs: [[2, 2, 3], [2, 2, 5]]) {
      concatenate($0[0], $0[1])
    },
    Check(function: Columns.self, inputs: [[2, 3, 5]]) { $0[0].columns(1..<4) },
    Check(function: MatrixProduct.self, inputs: [[3, 5], [5, 4]]) { $0[0].matrixProduct($0[1]) },
    Check(function: Convolve.self, inputs: [[2, 5, 6, 2], [3, 3, 2, 3], [3]]) {
      convolve($0[0], $0[1], bias: $0[2], window: window)
    },
    Check(function: ConvolveTransposed.self, inputs: [[2, 3, 2, 3], [3, 3, 2, 3], [2]]) {
      convolveTransposed($0[0], $0[1], bias: $0[2], window: window)
    },
    // Large gradients where a row is short, and curved there, hence the small step.
    Check(function: NormalizeRows.self, inputs: [[4, 5]], step: 0x1p-8, tolerance: 1e-3) {
      normalizeRows($0[0], epsilon: 1e-6)
    },
    Check(function: UpsampleNearest.self, inputs: [[2, 2, 3, 5]]) { upsampleNearest($0[0]) },
    Check(
      function: GroupNormalize.self, inputs: [[2, 3, 2, 4], [4], [4]], step: 0x1p-7,
      tolerance: 1e-3
    ) {
      groupNormalize(
        $0[0], weight: $0[1], bias: $0[2], groups: 2, epsilon: 1e-2, silu: true)
    },
  ]

  /// Functions that central differences cannot check, or that this module does not see, and the tests that check
  /// them.
  private static let others = [
    "BoundToLevels": "FiniteScalarQuantizerTests.centralDifferences",
    "CodeEntropy": "LookupFreeQuantizerTests.centralDifferences",
    "CodeExpectation": "LookupFreeQuantizerTests.centralDifferences",
    "Dropout": "GradientCheckTests.dropping: a tape has a mask only in training",
    "QuantizeSigns": "LookupFreeQuantizerTests.signs: straight-through",
    "RotateToCodeword": "RotationTests: λ and R count as constants",
    "RoundToLevels": "FiniteScalarQuantizerTests.gradient: straight-through",
    "Substitute": "OuterQuantizerTests: its gradient is the straight-through estimator's",
    "VectorQuantize": "VectorQuantizeTests: its gradient is the straight-through estimator's",
  ]

  @Test("the gradients of its inputs agree with central differences", arguments: checks)
  func agrees(check: Check) {
    var generator = SeededGenerator(test: 1)
    checkGradients(
      of: check.inputs.map { generator.tensor($0) }, step: check.step, tolerance: check.tolerance,
      check.function, function: check.call)
  }

  @Test("no function in the sources lacks a check")
  func complete() throws {
    var declared: Set<String> = []
    let sources = "\(packageFolder)/Sources"
    for file in try FileManager.default.subpathsOfDirectory(atPath: sources)
    where file.hasSuffix(".swift") {
      let text = try readText("\(sources)/\(file)", limit: 1 << 20)
      for match in text.matches(
        of: /\b(?:enum|struct|class|extension) (\w+)(?:<[^>]*>)?:[^{]*?\bFunction\b/)
      {
        declared.insert(String(match.output.1))
      }
    }
    let checked = Self.checks.map(\.function) + Self.others.keys
    #expect(declared.count >= 16)
    #expect(declared.sorted() == checked.sorted())
  }
}
