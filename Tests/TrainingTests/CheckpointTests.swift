import Autoencoders
import Diagnostics
import Files
import Foundation
import Models
import Quantizers
import Runtime
import Tensors
import TestSupport
import Testing
import Training

@Suite("Checkpoints")
struct CheckpointTests {
  private func withCheckpoint(
    _ settings: String..., body: (RunFolder, String) throws -> Void
  ) throws {
    let configuration = try smallConfiguration(settings + ["training.steps=2"])
    try withTemporaryFolder { folder in
      let run = try train(configuration, in: "\(folder)/run")
      try body(run, folder)
    }
  }

  @Test("reading and writing gives the same file", arguments: QuantizerSection.kinds)
  func roundTrip(kind: String) throws {
    try checkRoundTrip("quantizer.kind=\(kind)")
  }

  @Test(
    "reading and writing gives the same file for the other architectures",
    arguments: otherArchitectures)
  func architecture(setting: String) throws { try checkRoundTrip(setting) }

  private func checkRoundTrip(_ setting: String) throws {
    try withCheckpoint(setting) { run, folder in
      let checkpoint = try Checkpoint<VQVAE>(run.last)
      #expect(checkpoint.state.step == 2)
      try checkpoint.write("\(folder)/copy.safetensors")
      #expect(try contents(of: "\(folder)/copy.safetensors") == contents(of: run.last))
    }
  }

  @Test("filters are stored in PyTorch's layouts under dotted names")
  func layouts() throws {
    try withCheckpoint("quantizer.kind=ema") { run, _ in
      let file = try SafetensorsFile(run.last)
      let shapes = file.entries.mapValues(\.shape)
      #expect(shapes["encoder.conv1.weight"] == [4, 3, 4, 4])
      #expect(shapes["encoder.residual.0.conv1.weight"] == [4, 8, 3, 3])
      #expect(shapes["decoder.upsample2.weight"] == [4, 3, 4, 4])
      #expect(shapes["quantizer.codebook"] == [24, 6])
      #expect(shapes["quantizer.ema.size"] == [24])
      #expect(shapes["quantizer.ema.sum"] == [24, 6])
      #expect(shapes["optimizer.first_moment.encoder.conv1.weight"] == [4, 3, 4, 4])
      // The optimizer has no moments for averages.
      #expect(shapes["optimizer.first_moment.quantizer.codebook"] == nil)

      // Element [f, c, i, j] of the file is [i, j, c, f] in memory.
      let checkpoint = try Checkpoint<VQVAE>(run.last)
      let parameter = try #require(
        checkpoint.experiment.model.parameters.first { $0.name == "encoder.conv1.weight" })
      let memory = DoubleTensor(checkpoint.state.values[parameter])
      let stored = try DoubleTensor([4, 3, 4, 4], file.elements(parameter.name).map(Double.init))
      for (f, c, i, j) in [(0, 0, 0, 0), (3, 2, 1, 0), (1, 0, 3, 2), (2, 1, 2, 3)] {
        #expect(stored[f, c, i, j] == memory[i, j, c, f])
      }
    }
  }

  /// The goldens' script names PyTorch's modules like ours, so its names are those of a PyTorch module.
  @Test("without optimizer and averages, the tensors are a PyTorch module's, by name and shape")
  func strictNames() throws {
    try withCheckpoint(
      "model.residual_layers=2", "quantizer.codebook_size=16", "quantizer.dimension=4",
      "quantizer.kind=ema"
    ) { run, _ in
      let golden = try Golden("zalando")
      let prefix = "parameters."
      let module = try golden.names.filter { $0.hasPrefix(prefix) }
        .map { ($0.dropFirst(prefix.count), try golden($0).shape.extents) }
      let ours = try SafetensorsFile(run.last).entries
        .filter { !$0.key.hasPrefix("optimizer.") && !$0.key.contains(".ema.") }
      #expect(ours.count == module.count)
      for (name, shape) in module { #expect(ours[String(name)]?.shape == shape, "\(name)") }
    }
  }

  @Test("nothing of the machine is in a checkpoint: no path, time, host or thread")
  func nothingOfTheMachine() throws {
    try withCheckpoint { run, folder in
      let header = String(decoding: try contents(of: run.last).prefix(20_000), as: UTF8.self)
      for word in [folder, "threads", "output", ProcessInfo.processInfo.hostName, "2026"] {
        #expect(!header.contains(word), "\(word)")
      }
      let keys = try SafetensorsFile(run.last).metadata.keys.sorted()
      #expect(
        keys == [
          "format", "vqvae.best", "vqvae.config", "vqvae.data_fingerprint", "vqvae.epoch",
          "vqvae.epoch_position", "vqvae.format", "vqvae.generator", "vqvae.image_shape",
          "vqvae.model", "vqvae.step", "vqvae.training_images", "vqvae.validated_step",
          "vqvae.variance",
        ])
    }
  }

  @Test(
    "an independent reader opens it: Python's safetensors",
    .enabled(if: runPython("import safetensors.numpy") != nil, "python3 has no safetensors module"))
  func independentReader() throws {
    let script = """
      import sys
      from safetensors.numpy import load_file
      tensors = load_file(sys.argv[1])
      print(len(tensors), tensors["encoder.conv1.weight"].shape, tensors["quantizer.codebook"].dtype)
      """
    try withCheckpoint { run, folder in
      let output = try #require(runPython(script, run.last))
      let count = try SafetensorsFile(run.last).entries.count
      #expect(output == "\(count) (4, 3, 4, 4) float32\n")
    }
  }

  // MARK: Bad checkpoints

  /// A change to a valid file, and what the message has to name.
  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let message: String
    let change: @Sendable (inout [String: String], inout [Safetensors.Item]) throws -> Void
  }

  static let faults: [Fault] = [
    Fault(testDescription: "a tensor is missing", message: "decoder.conv1.bias is missing") {
      $1.removeAll { $0.name == "decoder.conv1.bias" }
    },
    Fault(testDescription: "a tensor too many", message: "decoder.conv9.bias") {
      $1.append(.init(name: "decoder.conv9.bias", shape: [1], elements: [0]))
    },
    Fault(testDescription: "another shape", message: "encoder.conv1.bias has the shape [5]") {
      $1.removeAll { $0.name == "encoder.conv1.bias" }
      $1.append(.init(name: "encoder.conv1.bias", shape: [5], elements: [0, 0, 0, 0, 0]))
    },
    Fault(testDescription: "a NaN among the weights", message: "not finite") {
      $1.removeAll { $0.name == "encoder.conv1.bias" }
      $1.append(.init(name: "encoder.conv1.bias", shape: [4], elements: [0, .nan, 0, 0]))
    },
    Fault(testDescription: "an infinite moment", message: "not finite") {
      let name = "optimizer.second_moment.encoder.conv1.bias"
      $1.removeAll { $0.name == name }
      $1.append(.init(name: name, shape: [4], elements: [0, .infinity, 0, 0]))
    },
    Fault(testDescription: "a negative second moment", message: "has a negative element") {
      let name = "optimizer.second_moment.encoder.conv1.bias"
      $1.removeAll { $0.name == name }
      $1.append(.init(name: name, shape: [4], elements: [0, -1e-30, 0, 0]))
    },
    Fault(testDescription: "no moment", message: "which training needs") {
      $1.removeAll { $0.name == "optimizer.first_moment.encoder.conv1.bias" }
    },
    Fault(testDescription: "another number of images", message: "vqvae.training_images") {
      metadata, _ in
      metadata["vqvae.training_images"] = "271"
    },
    Fault(testDescription: "images of another size", message: "vqvae.image_shape") { metadata, _ in
      metadata["vqvae.image_shape"] = "36x36x3"
    },
    Fault(testDescription: "a configuration of megabytes", message: "bytes") { metadata, _ in
      metadata["vqvae.config"]! += String(repeating: "# comment\n", count: 100_000)
    },
    Fault(testDescription: "a later format", message: "has format 3; expected at most format 2") {
      metadata, _ in
      metadata["vqvae.format"] = "3"
    },
    Fault(testDescription: "no format", message: "vqvae.format is \"0\"") { metadata, _ in
      metadata["vqvae.format"] = "0"
    },
    Fault(testDescription: "another type of model", message: "vqvae.model is \"prior\"") {
      metadata, _ in
      metadata["vqvae.model"] = "prior"
    },
    Fault(testDescription: "images of two channels", message: "vqvae.image_shape") {
      metadata, _ in
      metadata["vqvae.image_shape"] = "32x32x2"
    },
    Fault(testDescription: "no configuration", message: "vqvae.config") { metadata, _ in
      metadata["vqvae.config"] = nil
    },
    Fault(testDescription: "a bad configuration", message: "model.hidden") { metadata, _ in
      metadata["vqvae.config"] = "model: {hidden: -3}"
    },
    Fault(testDescription: "a negative step", message: "vqvae.step") { metadata, _ in
      metadata["vqvae.step"] = "-1"
    },
    Fault(testDescription: "a variance of zero", message: "vqvae.variance") { metadata, _ in
      metadata["vqvae.variance"] = "0"
    },
    Fault(testDescription: "an absurd image", message: "vqvae.image_shape") { metadata, _ in
      metadata["vqvae.image_shape"] = "99999999999x32x3"
    },
    Fault(testDescription: "an image the model cannot take", message: "vqvae.image_shape") {
      metadata, _ in
      metadata["vqvae.image_shape"] = "30x32x3"
    },
  ]

  @Test("an invalid file is refused, and the message says what is wrong", arguments: faults)
  func bad(fault: Fault) throws {
    try withCheckpoint { run, folder in
      let file = try SafetensorsFile(run.last)
      var metadata = file.metadata
      var items = try file.entries.map {
        Safetensors.Item(name: $0.key, shape: $0.value.shape, elements: try file.elements($0.key))
      }
      try fault.change(&metadata, &items)
      let path = "\(folder)/bad.safetensors"
      try Safetensors.write(path, metadata: metadata, items: items)
      let problem = try #require(throws: Problem.self) { try Checkpoint<VQVAE>(path) }
      #expect(problem.status == .badData)
      #expect(problem.description.contains(path))
      #expect(problem.description.contains(fault.message), "\(problem.description)")
    }
  }

  @Test("a negative average of counts is refused")
  func negativeAverage() throws {
    try withCheckpoint("quantizer.kind=ema") { run, folder in
      let path = "\(folder)/bad.safetensors"
      try copy(run.last, to: path) { items in
        let name = "quantizer.ema.size"
        items.removeAll { $0.name == name }
        items.append(
          .init(name: name, shape: [24], elements: [-1] + Array(repeating: 1, count: 23)))
      }
      let problem = try #require(throws: Problem.self) { try Checkpoint<VQVAE>(path) }
      #expect(problem.found == "the tensor quantizer.ema.size has a negative element")
    }
  }

  @Test("evaluation of the weights alone gives the same result as of the whole checkpoint")
  func weightsAlone() throws {
    try withCheckpoint("quantizer.kind=ema") { run, folder in
      let path = "\(folder)/weights.safetensors"
      try copy(run.last, to: path) { items in
        items.removeAll { $0.name.hasPrefix("optimizer.") || $0.name.contains(".ema.") }
      }
      let (whole, part) = (
        try Checkpoint<VQVAE>(run.last), try Checkpoint<VQVAE>(path, for: .evaluation)
      )
      let images = try whole.experiment.configuration.data.split(.test, seed: 1)
      let pool = WorkerPool(threads: 2)
      let evaluations = try [whole, part].map {
        try Evaluation(
          of: $0.experiment.model, $0.state.values, on: images,
          pool: pool)
      }
      #expect(evaluations[0]?["mse"] == evaluations[1]?["mse"])
      #expect(throws: Problem.self) { try Checkpoint<VQVAE>(path) }
    }
  }

  private func copy(
    _ source: String, to path: String, change: (inout [Safetensors.Item]) -> Void
  ) throws {
    let file = try SafetensorsFile(source)
    var items = try file.entries.map {
      Safetensors.Item(name: $0.key, shape: $0.value.shape, elements: try file.elements($0.key))
    }
    change(&items)
    try Safetensors.write(path, metadata: file.metadata, items: items)
  }

  @Test("an image size that the architecture cannot take is refused, with sizes that it can")
  func imageOfAnotherArchitecture() throws {
    try withCheckpoint("model.architecture=strided") { run, folder in
      let file = try SafetensorsFile(run.last)
      var metadata = file.metadata
      #expect(metadata["vqvae.image_shape"] == "32x32x3")
      metadata["vqvae.image_shape"] = "36x32x3"
      let path = "\(folder)/bad.safetensors"
      try Safetensors.write(
        path, metadata: metadata,
        items: try file.entries.map {
          .init(name: $0.key, shape: $0.value.shape, elements: try file.elements($0.key))
        })
      let problem = try #require(throws: Problem.self) { try Checkpoint<VQVAE>(path) }
      #expect(problem.status == .badData)
      #expect(problem.description.contains("vqvae.image_shape is \"36x32x3\""))
      #expect(problem.description.contains("multiples of 16"), "\(problem.description)")
    }
  }

  @Test("a file of another program is refused")
  func foreign() throws {
    let path = "\(testsFolder)/Goldens/zalando.safetensors"
    let problem = try #require(throws: Problem.self) { try Checkpoint<VQVAE>(path) }
    #expect(problem.status == .badData)
  }
}
