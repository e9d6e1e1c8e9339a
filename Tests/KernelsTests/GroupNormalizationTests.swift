import Glibc
import KernelTypes
import Kernels
import Tensors
import TestSupport
import Testing

/// Group normalisation by its definition, in double precision.
private struct NaiveGroupNormalization {
  let groups: Int
  let epsilon: Double
  let silu: Bool

  func callAsFunction(
    _ images: DoubleTensor, weight: [Double], bias: [Double]
  ) -> DoubleTensor {
    let (n, h, w, c) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3])
    var result = DoubleTensor(zeros: images.shape)
    for image in 0..<n {
      for group in 0..<groups {
        let channels = (group * c / groups)..<((group + 1) * c / groups)
        var places: [(Int, Int, Int)] = []
        for y in 0..<h {
          for x in 0..<w { for channel in channels { places.append((y, x, channel)) } }
        }
        let values = places.map { images[image, $0.0, $0.1, $0.2] }
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        for (place, value) in zip(places, values) {
          let normal = (value - mean) / (variance + epsilon).squareRoot()
          let u = normal * weight[place.2] + bias[place.2]
          result[image, place.0, place.1, place.2] = silu ? u / (1 + exp(-u)) : u
        }
      }
    }
    return result
  }
}

@Suite("Group normalisation")
struct GroupNormalizationTests {
  struct Case: CustomTestStringConvertible {
    let shape: Shape
    let groups: Int
    let silu: Bool

    var testDescription: String { "\(shape), \(groups) groups\(silu ? ", SiLU" : "")" }
  }

  /// Widths below, at and between whole vectors; one pixel; more pixels than fit a partial sum.
  static let cases = [true, false].flatMap { silu in
    [
      Case(shape: [2, 3, 4, 6], groups: 2, silu: silu),
      Case(shape: [3, 1, 2, 16], groups: 16, silu: silu),
      Case(shape: [2, 5, 3, 32], groups: 4, silu: silu),
      Case(shape: [1, 9, 17, 24], groups: 1, silu: silu),
      Case(shape: [2, 1, 1, 40], groups: 5, silu: silu),
      Case(shape: [1, 3, 3, 1], groups: 1, silu: silu),
    ]
  }

  private static func inputs(_ shape: Shape) -> (images: Tensor, weight: Tensor, bias: Tensor) {
    var generator = SeededGenerator(test: shape.count)
    return (
      generator.tensor(shape), generator.tensor([shape.width]), generator.tensor([shape.width])
    )
  }

  private static func doubles(_ tensor: Tensor) -> [Double] { tensor.elements.map(Double.init) }

  @Test("the result agrees with the definition", arguments: cases)
  func forward(_ test: Case) {
    let (images, weight, bias) = Self.inputs(test.shape)
    let naive = NaiveGroupNormalization(
      groups: test.groups, epsilon: 1e-6, silu: test.silu)
    let (result, _) = images.groupNormalized(
      weight: weight, bias: bias, groups: test.groups, epsilon: 1e-6, silu: test.silu)
    // A handful of roundings, each of 2⁻²⁴.
    expectClose(
      result,
      naive(DoubleTensor(images), weight: Self.doubles(weight), bias: Self.doubles(bias)),
      tolerance: 1e-6)
  }

  /// The mean is a thousand standard deviations: a variance from sums of squares would cancel.
  @Test("a large mean does not spoil the result")
  func largeMean() {
    let (images, weight, bias) = Self.inputs([2, 6, 7, 32])
    let shifted = images + Tensor(images.shape, repeating: 512)
    let naive = NaiveGroupNormalization(groups: 8, epsilon: 1e-6, silu: true)
    let (result, _) = shifted.groupNormalized(
      weight: weight, bias: bias, groups: 8, epsilon: 1e-6, silu: true)
    // Rounding changes the mean by 2⁻¹⁵ at most, and the standard deviation is a half.
    expectClose(
      result,
      naive(DoubleTensor(shifted), weight: Self.doubles(weight), bias: Self.doubles(bias)),
      tolerance: 1e-4)
  }

  /// The gradients of `Σ weights · result` against central differences of the definition, whose error in
  /// double precision is about 1e-9.
  @Test("the gradients agree with the definition", arguments: cases)
  func backward(_ test: Case) {
    let (images, weight, bias) = Self.inputs(test.shape)
    var generator = SeededGenerator(test: 77)
    let outer = generator.tensor(test.shape)
    let naive = NaiveGroupNormalization(
      groups: test.groups, epsilon: 1e-3, silu: test.silu)
    func loss(_ parts: [[Double]]) -> Double {
      let result = naive(
        DoubleTensor(images.shape.extents, parts[0]), weight: parts[1], bias: parts[2])
      return zip(result.elements, outer.elements).reduce(0) { $0 + $1.0 * Double($1.1) }
    }
    let moments = images.groupNormalized(
      weight: weight, bias: bias, groups: test.groups, epsilon: 1e-3, silu: test.silu
    ).moments
    let gradients = images.groupNormalizedBackward(
      outer, weight: weight, bias: bias, moments: moments, groups: test.groups, epsilon: 1e-3,
      silu: test.silu)
    let inputs = [images, weight, bias]
    for (i, gradient) in [gradients.images, gradients.weight, gradients.bias].enumerated() {
      // Only some places of a large input, because each costs two evaluations.
      let places = Swift.stride(from: 0, to: inputs[i].count, by: max(1, inputs[i].count / 200))
      var (found, expected): ([Float], [Double]) = ([], [])
      for place in places {
        func at(_ offset: Double) -> Double {
          var parts = inputs.map(Self.doubles)
          parts[i][place] += offset
          return loss(parts)
        }
        found.append(gradient.elements[place])
        expected.append((at(1e-5) - at(-1e-5)) / 2e-5)
      }
      #expect(largestError(found, expected) < 1e-5, "input \(i)")
    }
  }

  @Test(
    "nothing is written beyond the result, and an image's bytes do not depend on the others",
    arguments: cases)
  func guardedAndAlone(_ test: Case) {
    let (images, weight, bias) = Self.inputs(test.shape)
    let kernel = GroupNormalization(
      positions: test.shape[1] * test.shape[2], channels: test.shape.width, groups: test.groups,
      epsilon: 1e-6, silu: test.silu)
    let size = test.shape.count / test.shape[0]
    func run(_ elements: [Float], count: Int) -> (result: [Float], gradients: [[Float]]) {
      var gradients: [[Float]] = []
      let result = guarded(count * size) { result in
        let moments = guarded(count * kernel.momentCount) { moments in
          _ = guarded(kernel.workspaceCount) {
            kernels.normalize(
              elements, by: kernel, weight: weight.elements, bias: bias.elements, count: count,
              into: result,
              moments: moments, workspace: $0)
          }
        }
        let weightGradient = guarded(test.shape.width) { weightGradient in
          let biasGradient = guarded(test.shape.width) { biasGradient in
            gradients.append(
              guarded(count * size, initial: elements) { gradient in
                _ = guarded(kernel.workspaceCount) {
                  kernels.normalizeBackward(
                    elements, by: kernel, weight: weight.elements, bias: bias.elements,
                    moments: moments,
                    count: count, gradient: gradient, weightGradient: weightGradient,
                    biasGradient: biasGradient, workspace: $0)
                }
              })
          }
          gradients.append(biasGradient)
        }
        gradients.append(weightGradient)
      }
      return (result, gradients)
    }
    let all = run(images.elements, count: test.shape[0])
    #expect(all.gradients.allSatisfy { $0.allSatisfy(\.isFinite) })
    for n in 0..<test.shape[0] {
      let own = (n * size)..<((n + 1) * size)
      let alone = run(Array(images.elements[own]), count: 1)
      #expect(bits(all.result[own]) == bits(alone.result))
      #expect(bits(all.gradients[0][own]) == bits(alone.gradients[0]))
    }
  }

  @Test("SiLU is accurate far from 0, and NaN stays NaN")
  func extremes() {
    // With a weight of zero, u is the bias.
    let bias: [Float] = [
      -1e30, -200, -87.5, -87, -80, -50, -20, -10, -5, -4, -1, 0, 1, 5, 90, 1e30,
    ]
    let (result, _) = Tensor([1, 1, 2, 16], (0..<32).map(Float.init)).groupNormalized(
      weight: Tensor(zeros: [16]), bias: Tensor([16], bias), groups: 1, epsilon: 1e-6,
      silu: true)
    for (u, y) in zip(bias, result.elements) {
      let expected = Double(u) / (1 + exp(-Double(u)))
      // The rounding of the exponent makes a relative error of 2⁻¹⁸ at −87. Below, the sigmoid stops at
      // 2⁻¹²⁶.
      let allowed =
        u < -87 ? Double(-u) * 0x1p-125 : (u < -4 ? 0x1p-18 : 0x1p-22) * abs(expected)
      #expect(abs(Double(y) - expected) <= allowed, "SiLU(\(u)) = \(y)")
      #expect(y.isFinite)
    }
    var images = Tensor(zeros: [1, 2, 2, 4])
    images.withUnsafeMutablePointer { $0[5] = .nan }
    let poisoned = images.groupNormalized(
      weight: Tensor([4], [1, 1, 1, 1]), bias: Tensor(zeros: [4]), groups: 2, epsilon: 1e-6,
      silu: true
    ).result.elements
    // Channels 0 and 1 are the group that contains NaN.
    for (i, y) in poisoned.enumerated() { #expect(y.isNaN == (i % 4 < 2), "\(i)") }
  }
}
