import Autograd
import NN
import Quantizers
import Tensors
import TestSupport
import Testing

/// The vectors of two images of 3×2 positions.
private func vectors(_ width: Int, seed: Int = 1) -> Tensor {
  var generator = SeededGenerator(test: seed)
  return generator.tensor([2, 3, 2, width])
}

private func vq(_ latent: String, _ codewords: Int, _ width: Int) -> VectorQuantizer {
  VectorQuantizer(
    Codebook(
      latent, codewords: codewords, dimension: width, initializer: .uniform(bound: 1),
      role: .trained), commitment: 0.25)
}

private let shard = ShardContext(validCount: 2, batchSize: 2, seed: 1, step: 1)

private func state(of quantizer: some Quantizer, seed: UInt64 = 4) throws -> ModelState {
  var state = ModelState(initial: quantizer.parameters, seed: seed)
  try quantizer.prepare(&state, seed: seed) { _ in vectors(quantizer.dimension) }
  return state
}

private func dot(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
  zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

@Suite("The cosine quantizer") struct CosineQuantizerTests {
  private let quantizer = CosineQuantizer(vq("q", 10, 4))

  @Test("the codeword nearest by angle is that nearest by distance on the sphere")
  func angles() throws {
    let state = try state(of: quantizer)
    let z = vectors(4)
    let table = state.values[quantizer.base.vectors.parameter].elements
    let codes = quantizer.codes(of: z, state.values)
    for (i, code) in codes.indices.enumerated() {
      let x = z.elements[(i * 4)..<(i * 4 + 4)]
      let cosines = (0..<10).map { dot(x, table[($0 * 4)..<($0 * 4 + 4)]) }
      #expect(cosines.indices.max { cosines[$0] < cosines[$1] } == Int(code))
    }
    // The length of a vector plays no part.
    #expect(quantizer.codes(of: 1000 * z, state.values) == codes)
  }

  @Test("codewords have length 1: at the start, after a step, and with another run's codebook")
  func lengths() throws {
    var state = try state(of: quantizer)
    let parameter = quantizer.base.vectors.parameter
    func check(_ what: String) {
      let table = state.values[parameter].elements
      for k in 0..<10 {
        let row = table[(k * 4)..<(k * 4 + 4)]
        #expect(abs(dot(row, row) - 1) < 1e-6, "\(what), row \(k)")
      }
    }
    check("start")
    state.values[parameter] = 3 * state.values[parameter]
    quantizer.update(&state, with: [], step: 1)
    check("update")
    state.values[parameter] = 0.1 * state.values[parameter]
    quantizer.adoptCodebook(&state)
    check("adopted")
  }

  @Test("a codeword that was never chosen keeps its place", arguments: UnusedCodeword.allCases)
  func neverChosen(unused: UnusedCodeword) throws {
    let codebook = Codebook(
      "q", codewords: 40, dimension: 4, initializer: .uniform(bound: 1), role: .buffer)
    let quantizer = CosineQuantizer(
      EMAQuantizer(codebook, commitment: 0.25, decay: 0.9, unused: unused))
    let before = try state(of: quantizer)
    var after = before
    let result = quantizer.quantize(Tape(before.values).constant(vectors(4)), in: shard)
    quantizer.update(&after, with: result.statistics, step: 1)
    let (old, new) = (
      before.values[codebook.parameter].elements, after.values[codebook.parameter].elements
    )
    for k in 0..<40 where !result.codes.indices.contains(Int32(k)) {
      let row = (k * 4)..<(k * 4 + 4)
      // Scaled to length 1 once more.
      #expect(zip(old[row], new[row]).allSatisfy { abs($0 - $1) < 1e-6 }, "row \(k)")
    }
  }

  @Test("the commitment's gradient is at right angles to the vector, whose length plays no part")
  func tangent() throws {
    let state = try state(of: quantizer)
    let tape = Tape(state.values)
    let z = tape.leaf(vectors(4))
    let terms = quantizer.quantize(z, in: shard).terms
    let commitment = try #require(terms.first { $0.name == "commitment" })
    let gradient = try #require(tape.backward(from: commitment.value)[z]).elements
    #expect(gradient.contains { $0 != 0 })
    for i in 0..<12 {
      let range = (i * 4)..<(i * 4 + 4)
      #expect(abs(dot(gradient[range], z.value.elements[range])) < 1e-7)
    }
  }
}

@Suite("SimVQ") struct SimVQTests {
  private let quantizer = SimVQQuantizer(
    Codebook("q", codewords: 9, dimension: 4, initializer: .zeros, role: .buffer), commitment: 0.25)

  @Test("what is searched and decoded is basis · transform, also after a step")
  func products() throws {
    var state = try state(of: quantizer)
    func check() {
      let (basis, transform) = (
        DoubleTensor(state.values[quantizer.basis]), DoubleTensor(state.values[quantizer.transform])
      )
      var product = DoubleTensor(zeros: [9, 4])
      for k in 0..<9 {
        for j in 0..<4 {
          for i in 0..<4 {
            product.elements[k * 4 + j] += basis.elements[k * 4 + i] * transform.elements[i * 4 + j]
          }
        }
      }
      // Sums of four products in single precision.
      expectClose(state.values[quantizer.vectors.parameter], product, tolerance: 1e-6)
    }
    check()
    state.values[quantizer.transform] = -2 * state.values[quantizer.transform]
    quantizer.update(&state, with: [], step: 1)
    check()
  }

  @Test("training and evaluation decode the same bytes")
  func same() throws {
    let state = try state(of: quantizer)
    let tape = Tape(state.values)
    let result = quantizer.quantize(tape.constant(vectors(4)), in: shard)
    #expect(
      result.output.value.elements == quantizer.codewords(result.codes, on: tape).value.elements)
    #expect(result.codes == quantizer.codes(of: vectors(4), state.values))
  }

  @Test("the codebook loss moves the transform alone, and thereby every codeword")
  func gradient() throws {
    let state = try state(of: quantizer)
    let tape = Tape(state.values)
    let z = tape.leaf(vectors(4))
    let result = quantizer.quantize(z, in: shard)
    let loss = try #require(result.terms.first { $0.name == "codebook" }).value
    let gradients = tape.backward(from: loss)
    #expect(gradients[z] == nil || gradients[z]!.elements.allSatisfy { $0 == 0 })
    #expect(Set(gradients.byName.keys) == [quantizer.transform.name])
    // ∂L/∂W = Σ over vectors of c[code]ᵀ · 2·(e − z) / (elements of the batch).
    let codewords = quantizer.codewords(result.codes, on: tape).value.elements
    let basis = state.values[quantizer.basis].elements
    var expected = DoubleTensor(zeros: [4, 4])
    for (n, code) in result.codes.indices.enumerated() {
      for i in 0..<4 {
        for j in 0..<4 {
          let error = Double(codewords[n * 4 + j]) - Double(z.value.elements[n * 4 + j])
          expected.elements[i * 4 + j] += Double(basis[Int(code) * 4 + i]) * 2 * error / 48
        }
      }
    }
    expectClose(try #require(gradients.byName[quantizer.transform.name]), expected)
    // A step against it moves the codewords that nobody chose too.
    var moved = state
    moved.values[quantizer.transform] =
      moved.values[quantizer.transform] - gradients.byName[quantizer.transform.name]!
    quantizer.update(&moved, with: [], step: 1)
    let (before, after) = (
      state.values[quantizer.vectors.parameter].elements,
      moved.values[quantizer.vectors.parameter].elements
    )
    for k in 0..<9 { #expect(before[(k * 4)..<(k * 4 + 4)] != after[(k * 4)..<(k * 4 + 4)]) }
  }
}

@Suite("The residual quantizer") struct ResidualQuantizerTests {
  private func quantizer(shared: Bool = false, dropout: Double = 0) -> ResidualQuantizer {
    let first = vq("q.0", 8, 4)
    return ResidualQuantizer(
      "q", stages: shared ? [first, first, first] : [first, vq("q.1", 8, 4), vq("q.2", 8, 4)],
      isShared: shared, dropout: dropout)
  }

  @Test("each stage quantizes what the stages before it left over", arguments: [false, true])
  func stages(shared: Bool) throws {
    let quantizer = quantizer(shared: shared)
    let state = try state(of: quantizer)
    let z = vectors(4)
    let codes = quantizer.codes(of: z, state.values)
    #expect(codes.shape == [2, 3, 2, 3])
    #expect(quantizer.alphabet == [8, 8, 8])
    #expect(quantizer.parameters.count == (shared ? 1 : 3))
    var rest = z
    for (i, stage) in quantizer.stages.enumerated() {
      let own = state.values[stage.vectors.parameter].nearestCodes(to: rest, by: .exact)
      #expect(codes.slot(i) == own, "stage \(i)")
      rest = rest - state.values[stage.vectors.parameter].rows(at: own)
    }
    // The sum of the codewords and the rest is the vector; training and evaluation have the same bytes.
    let tape = Tape(state.values)
    let sum = quantizer.codewords(codes, on: tape).value
    expectClose(sum + rest, z, tolerance: 1e-6)
    let trained = quantizer.quantize(tape.constant(z), in: shard)
    #expect(trained.output.value.elements == sum.elements)
    #expect(trained.codes == codes)
  }

  @Test(
    "each number of stages can be decoded, and each further one brings a codebook of k-means nearer"
  )
  func fewer() throws {
    let stages = (0..<3).map {
      VectorQuantizer(
        Codebook(
          "q.\($0)", codewords: 6, dimension: 4, initializer: .zeros, role: .trained,
          startsFromKMeans: true), commitment: 0.25)
    }
    let quantizer = ResidualQuantizer("q", stages: stages)
    let state = try state(of: quantizer)
    let z = vectors(4)
    let codes = quantizer.codes(of: z, state.values)
    let tape = Tape(state.values, recording: false)
    let errors = (1...3).map {
      z.sumOfSquaredDifferences(
        from: quantizer.codewords(codes, stages: $0, on: tape).value, rows: 12)
    }
    #expect(errors[1] < errors[0] && errors[2] < errors[1], "\(errors)")
  }

  /// With a straight-through estimator in every stage the gradient would be L times too large.
  @Test("the gradient of the output passes once")
  func gradient() throws {
    let quantizer = quantizer()
    let tape = Tape(try state(of: quantizer).values)
    let z = tape.leaf(vectors(4))
    let output = quantizer.quantize(z, in: shard).output
    let g = vectors(4, seed: 5)
    let gradients = tape.backward(from: output, gradient: g)
    #expect(gradients[z]?.elements == g.elements)
    #expect(gradients.byName.isEmpty, "the output has no gradient for a codebook")
  }

  @Test("each codebook gets the gradient of its own stage, and the encoder that of the commitment")
  func terms() throws {
    let quantizer = quantizer()
    let state = try state(of: quantizer)
    let tape = Tape(state.values)
    let z = tape.leaf(vectors(4))
    let terms = quantizer.quantize(z, in: shard).terms
    #expect(
      terms.map(\.name) == Array(repeating: ["codebook", "commitment"], count: 3).flatMap(\.self))
    let gradients = tape.backward(from: terms[2].value)
    #expect(gradients[z] == nil || gradients[z]!.elements.allSatisfy { $0 == 0 })
    #expect(Set(gradients.byName.keys) == ["q.1.codebook"])
  }

  @Test(
    "with dropout a step trains the first stages only, the same in every shard, and the others not at all"
  )
  func dropout() throws {
    let quantizer = ResidualQuantizer(
      "q",
      stages: (0..<3).map {
        EMAQuantizer(
          Codebook(
            "q.\($0)", codewords: 8, dimension: 4, initializer: .uniform(bound: 1), role: .buffer),
          commitment: 0.25, decay: 0.9, unused: .keep)
      }, dropout: 0.9)
    let state = try state(of: quantizer)
    var depths: Set<Int> = []
    for step in 1...40 {
      let first = check(quantizer, state, image: 0, step: step)
      let second = check(quantizer, state, image: 1, step: step)
      #expect(first == second)
      depths.insert(first)
    }
    #expect(depths == [1, 2, 3])
    // Not outside training.
    let codes = quantizer.codes(of: vectors(4), state.values)
    #expect(codes.indices.allSatisfy { $0 >= 0 })
  }

  /// Checks a step with one of two images.
  ///
  /// - Returns: How many stages it trained.
  private func check(
    _ quantizer: ResidualQuantizer, _ state: ModelState, image: Int, step: Int
  ) -> Int {
    let shard = ShardContext(validCount: 1, batchSize: 2, firstImage: image, seed: 1, step: step)
    let images = vectors(4).items(image..<(image + 1))
    let result = quantizer.quantize(Tape(state.values).constant(images), in: shard)
    let slots = (0..<3).map { result.codes.slot($0) }
    let active = slots.count { $0.indices.allSatisfy { $0 >= 0 } }
    for slot in slots[active...] {
      #expect(slot.indices.allSatisfy { $0 == Codes.invalid })
    }
    var after = state
    quantizer.update(&after, with: result.statistics, step: step)
    for (i, stage) in quantizer.stages.enumerated() {
      for parameter in stage.parameters {
        let isSame = after.values[parameter].elements == state.values[parameter].elements
        #expect(isSame == (i >= active), "\(parameter.name), \(active) of 3 stages")
      }
    }
    return active
  }
}

@Suite("The grouped quantizer") struct GroupedQuantizerTests {
  private let quantizer = GroupedQuantizer([vq("q.0", 8, 2), vq("q.1", 8, 2), vq("q.2", 8, 2)])

  @Test("is a quantizer for each part of the vector")
  func parts() throws {
    let state = try state(of: quantizer)
    let z = vectors(6)
    let tape = Tape(state.values)
    let leaf = tape.leaf(z)
    let result = quantizer.quantize(leaf, in: shard)
    #expect(result.codes.shape == [2, 3, 2, 3])
    #expect(result.codes == quantizer.codes(of: z, state.values))
    for (i, part) in quantizer.parts.enumerated() {
      let own = part.codes(of: z.columns((2 * i)..<(2 * i + 2)), state.values)
      #expect(result.codes.slot(i) == own)
      #expect(
        result.output.value.columns((2 * i)..<(2 * i + 2)).elements
          == part.codewords(own, on: tape).value.elements)
    }
    #expect(
      result.output.value.elements == quantizer.codewords(result.codes, on: tape).value.elements)
    let g = vectors(6, seed: 8)
    let gradients = tape.backward(from: result.output, gradient: g)
    #expect(gradients[leaf]?.elements == g.elements)
  }

  @Test("its loss is the mean over the whole vector")
  func loss() throws {
    let state = try state(of: quantizer)
    let tape = Tape(state.values)
    let result = quantizer.quantize(tape.constant(vectors(6)), in: shard)
    let sum = result.terms.filter { $0.name == "codebook" }.reduce(0) { $0 + $1.value.value.scalar }
    let error = vectors(6).sumOfSquaredDifferences(from: result.output.value, rows: 12) / 72
    #expect(abs(Double(sum) - error) < 1e-6)
  }

  @Test("a width that the groups do not divide is an error")
  func fault() {
    var options = GroupedKind.Options()
    #expect(GroupedKind.fault(in: options) == nil)
    options.groups = 3
    #expect(GroupedKind.fault(in: options)?.message.contains("64 and groups 3") == true)
  }
}
