import Files
import TestSupport
import Testing

/// All commands with a model that has two codebooks, on 64×64 images.
@Suite("Two codebooks on the command line", .timeLimit(.minutes(5)))
struct TwoLevelTests {
  private static let configuration = """
    data: {kind: synthetic, images: 64, side: 64}
    model: {architecture: hierarchical, hidden: 8, residual_layers: 1, residual_hidden: 4}
    quantizer: {kind: ema, codebook_size: 32, dimension: 8, init: uniform}
    training: {steps: 3, batch_size: 16, learning_rate: 0.01, log_every: 1}
    """

  private static let names = ["quantizer_top", "quantizer_bottom"]

  /// Trains a run, and passes its folder and the program's output to `body`.
  private func withRun(_ body: (_ folder: String, _ training: ProgramResult) throws -> Void) throws
  {
    try withTemporaryFolder { folder in
      try AtomicFile.write(folder + "/c.yaml", text: Self.configuration)
      let result = try runProgram(["train", "--config", "c.yaml", "--run", "run"], in: folder)
      expect(result, 0)
      try body(folder, result)
    }
  }

  @Test("train names both codebooks and shows the numbers of each")
  func train() throws {
    try withRun { _, training in
      let errors = training.errors
      #expect(errors.contains("validation images of 64×64"))
      #expect(
        errors.contains(
          "32 codewords of dimension 8 in each of 2 codebooks: quantizer_top, 8×8 codes; "
            + "quantizer_bottom, 16×16 codes; at most 0.1302 bits per dimension\n"))
      let numbers = /perplexity \d+\.\d\+\d+\.\d  codes \d+\/32\+\d+\/32/
      // Lines for three steps and a validation.
      #expect(errors.matches(of: numbers).count == 4, "\(errors)")
    }
  }

  @Test("eval --json has an entry for each codebook, and their bits and codes add up")
  func json() throws {
    try withRun { folder, _ in
      let result = try runProgram(["eval", "run", "--split", "test", "--json"], in: folder)
      expect(result, 0)
      let report = try object(result.output)
      let codebooks = try #require(report["codebooks"] as? [[String: Any]])
      #expect(codebooks.map { $0["name"] as? String } == Self.names)
      func numbers(_ key: String) throws -> [Double] {
        try codebooks.map { try #require($0[key] as? Double, "\(key)") }
      }
      #expect(try numbers("codebookSize") == [32, 32])
      #expect(report["codebookSize"] as? Int == 64)
      let used = try numbers("codesUsed")
      #expect(report["codesUsed"] as? Double == used[0] + used[1])
      // An image has 64 codes at the top level and 256 at the bottom, each with the entropy's bits.
      let (entropy, bits) = (try numbers("codeEntropy"), try numbers("bitsPerImage"))
      for (i, codes) in [64.0, 256].enumerated() {
        #expect(abs(bits[i] - codes * entropy[i]) < 1e-6)
      }
      #expect(bits[0] + bits[1] > 0)
      #expect(try abs(#require(report["bitsPerImage"] as? Double) - bits[0] - bits[1]) < 1e-9)
      let perplexity = try numbers("perplexity")
      for i in 0..<2 { #expect(perplexity[i] >= 1 && perplexity[i] <= used[i] + 1e-9) }
      // A single number would belong to only one of the codebooks.
      for key in ["perplexity", "codeEntropy", "codebookEffectiveRank"] {
        #expect(report[key] == nil, "\(key)")
      }
    }
  }

  @Test("eval shows each codebook by its name")
  func table() throws {
    try withRun { folder, _ in
      let output = try runProgram(["eval", "run"], in: folder).output
      #expect(
        output.contains(
          /\ncodes used +quantizer_top \d+ of 32[^,\n]*, quantizer_bottom \d+ of 32[^,\n]*\n/),
        "\(output)")
      #expect(
        output.contains(/\nperplexity +quantizer_top [\d.]+, quantizer_bottom [\d.]+\n/),
        "\(output)")
      #expect(
        output.contains(
          /\nbits +\d+ per image, at .* \(quantizer_top \d+, quantizer_bottom \d+\)\n/),
        "\(output)")
    }
  }

  @Test("reconstruct draws 64×64 images")
  func reconstruct() throws {
    try withRun { folder, _ in
      let result = try runProgram(
        ["reconstruct", "run", "--count", "1", "--scale", "1", "--out", "x.png"], in: folder)
      expect(result, 0)
      // One image above the other, with margins of two pixels.
      #expect(result.output == "x.png\t68x134\n")
    }
  }

  @Test("bench verifies and measures both levels")
  func bench() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(folder + "/c.yaml", text: Self.configuration)
      let result = try runProgram(
        [
          "bench", "--config", "c.yaml", "--steps", "2", "--warmup", "1", "--kernels", "--json",
        ], in: folder)
      expect(result, 0)
      let report = try object(result.output)
      let kernels = try #require(report["kernels"] as? [[String: Any]])
      let uses = kernels.flatMap { $0["uses"] as? [String] ?? [] }
      for name in Self.names { #expect(uses.contains("\(name).codebook"), "\(name)") }
      // The eight images of a shard have 8·8 vectors each at the top level and 16·16 at the bottom.
      let searches = kernels.filter { ($0["name"] as? String)?.hasPrefix("nearest") == true }
      #expect(searches.map { $0["count"] as? Int } == [512, 2048])
      let verification = try #require(report["verification"] as? [String: Any])
      #expect(kernels.count == (verification["convolutions"] as? Int ?? 0) + 3)
    }
  }
}
